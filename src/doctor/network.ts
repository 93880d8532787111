/** Name, route and port: everything below the first byte. */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { explanationOf, type MeaningKey, type Text } from "../explain/index.ts";
import { TransportError } from "../transport/index.ts";
import { type Finding, msText } from "./diagnosis.ts";
import type { Target } from "./target.ts";

/** The addresses of a name, as the system finds them. */
export interface NameFinding extends Finding {
  readonly addresses: readonly string[];
}

/** Looks the host's name up. */
export async function checkName(host: string): Promise<NameFinding> {
  if (isIP(host) !== 0) {
    const summary = { en: `${host} is an address`, zh: `${host} 本身就是地址` };
    return { layer: "name", state: "skipped", summary, addresses: [host] };
  }
  const startedMs = performance.now();
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
    const took = msText(performance.now() - startedMs);
    const list = addresses.join(", ");
    return {
      layer: "name",
      state: "passed",
      summary: { en: `${host} is ${list} (${took})`, zh: `${host} 解析为 ${list}（${took}）` },
      addresses,
    };
  } catch (error) {
    const code = codeOf(error);
    const isDown = code === "EAI_AGAIN";
    const meaning: MeaningKey = isDown ? (hasNetwork() ? "name-service-down" : "no-network") : "name-unknown";
    const summary = {
      en: `no address for '${host}' (${code})`,
      zh: `'${host}' 解析不到地址（${code}）`,
    };
    return { layer: "name", state: "failed", summary, meaning, addresses: [] };
  }
}

/** Whether any interface but the loopback has an address. */
function hasNetwork(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal) === true);
}

/** Finds which interface leads to the first address. Nothing is sent: the system only chooses a way. */
export async function checkRoute(addresses: readonly string[], port: number): Promise<Finding> {
  const errors: string[] = [];
  for (const address of addresses) {
    try {
      const from = await localAddressTo(address, port);
      const name = interfaceOf(from);
      const summary = { en: `to ${address} from ${from} (${name})`, zh: `到 ${address}：从 ${from}（${name}）出发` };
      return { layer: "route", state: "passed", summary };
    } catch (error) {
      errors.push(`${address}: ${codeOf(error)}`);
    }
  }
  const list = errors.join("; ");
  const summary = { en: `no way there: ${list}`, zh: `没有路由：${list}` };
  return {
    layer: "route",
    state: "failed",
    summary,
    meaning: list.includes("EHOST") ? "host-unreachable" : "no-network",
  };
}

function localAddressTo(address: string, port: number): Promise<string> {
  const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
  return new Promise<string>((resolve, reject) => {
    socket.once("error", reject);
    // A failure comes to the callback, of which the types know nothing.
    socket.connect(port, address, (error?: unknown) =>
      error === undefined || error === null ? resolve(socket.address().address) : reject(error),
    );
  }).finally(() => socket.close());
}

function interfaceOf(local: string): string {
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (addresses?.some(({ address }) => address === local)) return name;
  return "?";
}

const PORT_MEANINGS: Readonly<Record<string, MeaningKey>> = {
  ECONNREFUSED: "nothing-listens",
  ETIMEDOUT: "no-answer",
  EHOSTUNREACH: "host-unreachable",
  ENETUNREACH: "no-network",
  EPERM: "connection-blocked",
  EACCES: "connection-blocked",
  EADDRNOTAVAIL: "address-not-available",
};

/** From here on a connection is slow: Linux sends its first packet again after a second. */
const SLOW_MS = 1000;

/** Opens TCP to one address after the other, until one takes it. */
export async function checkPort(addresses: readonly string[], port: number, timeoutMs: number): Promise<Finding> {
  const details: Text[] = [];
  let code = "";
  for (const address of addresses) {
    const startedMs = performance.now();
    const error = await tcpError(address, port, timeoutMs);
    const tookMs = performance.now() - startedMs;
    const took = msText(tookMs);
    if (error === null) {
      details.push({ en: `${address} port ${port}: ${took}`, zh: `${address} 端口 ${port}：${took}` });
      const summary = {
        en: `${address} takes connections on ${port} (${took})`,
        zh: `${address} 的端口 ${port} 可以连接（${took}）`,
      };
      const state = tookMs > SLOW_MS ? "warning" : "passed";
      return { layer: "port", state, summary, ...(details.length > 1 && { details }) };
    }
    // What a host answers says more than that another did not.
    if (code === "" || code === "ETIMEDOUT") code = error;
    details.push({
      en: `${address} port ${port}: ${error} after ${took}`,
      zh: `${address} 端口 ${port}：${took} 后 ${error}`,
    });
  }
  const [en, zh] =
    code === "ETIMEDOUT" ? ["no answer: filtered, or nobody there", "没有应答：被过滤或地址无人使用"] : [code, code];
  const summary = { en: `port ${port} cannot be reached (${en})`, zh: `端口 ${port} 连不上（${zh}）` };
  return { layer: "port", state: "failed", summary, details, meaning: PORT_MEANINGS[code] ?? "connect-failed" };
}

/** Opens a connection by a unix socket, a proxy or SRV records. */
export async function checkWay({ dialer, timeoutMs }: Target): Promise<Finding> {
  const startedMs = performance.now();
  try {
    const socket = await dialer.dial(AbortSignal.timeout(timeoutMs));
    socket.on("error", () => {}).destroy();
    const took = msText(performance.now() - startedMs);
    const summary = {
      en: `${dialer.address} takes connections (${took})`,
      zh: `${dialer.address} 可以连接（${took}）`,
    };
    return { layer: "port", state: "passed", summary };
  } catch (error) {
    const code = codeOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
    const isProxy = error instanceof TransportError && error.part === "proxy";
    const summary = {
      en: `${dialer.address} cannot be reached: ${(error as Error).message}`,
      zh: `${dialer.address} 连不上：${(error as Error).message}`,
    };
    const known = explanationOf({ space: "errno", code })?.key ?? "connect-failed";
    return { layer: "port", state: "failed", summary, meaning: isProxy ? "proxy-refused" : known };
  }
}

/** The system's name of the error; null: connected. */
function tcpError(host: string, port: number, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: string | null): void => {
      socket.on("error", () => {}).destroy();
      resolve(result);
    };
    socket.once("connect", () => end(null));
    socket.once("timeout", () => end("ETIMEDOUT"));
    socket.once("error", (error) => end(codeOf(error)));
  });
}

/** The system's name of an error. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
