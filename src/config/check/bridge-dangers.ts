/** What of a bridge is dangerous, or loses messages that it was likely not meant to lose. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { BridgeConfig, BridgeTopic } from "../bridge-config.ts";
import { type Config, isLoopback } from "../config.ts";
import { findingsOfDates } from "./certificates.ts";
import { rightsOf } from "./file-rights.ts";
import { type Finding, finding } from "./finding.ts";

/** @param nowMs wall clock, in milliseconds since 1970 */
export async function dangersOfBridge(
  bridge: BridgeConfig,
  { persistence }: Config,
  nowMs: number,
): Promise<readonly Finding[]> {
  const secrets = [...(await ofSecrets(bridge)), ...(await ofCertificate(bridge, nowMs))];
  return [...ofReaders(bridge), ...ofTrust(bridge), ...secrets, ...ofLoops(bridge), ...ofLosses(bridge, persistence)];
}

/** Who could read along. */
function ofReaders({ name, place, addresses, tls, psk, remotePassword }: BridgeConfig): readonly Finding[] {
  const far = addresses.filter(({ host }) => !isLoopback(host)).map(({ host, port }) => `${host}:${port}`);
  if (tls !== null || psk !== null || far.length === 0) return [];
  const where = far.join(" and ");
  const advice = "Set bridge_cafile, or bridge_tls_use_os_certs true, and the port of TLS there, often 8883.";
  return remotePassword === null
    ? [finding("note", place, `What crosses bridge ${name} travels readable to ${where}: it has no TLS.`, advice)]
    : [
        finding(
          "warning",
          place,
          `The password of bridge ${name} travels readable to ${where}: it has no TLS.`,
          advice,
        ),
      ];
}

/** Whether it could connect at all. `bridge_insecure` has its warning from the reader. */
function ofTrust({ name, place, tls }: BridgeConfig): readonly Finding[] {
  if (!tls?.requireOcsp) return [];
  const text = `Bridge ${name} will not connect: bridge_require_ocsp is true, and answers of OCSP cannot be verified here.`;
  return [finding("warning", place, text, "Remove the line, or bridge with mosquitto.")];
}

async function ofSecrets({ name, place, remotePassword, psk, tls }: BridgeConfig): Promise<readonly Finding[]> {
  // "FILE:LINE"; what an application gives is in no file.
  const file = /^(.*):\d+$/.exec(place)?.[1];
  const what = psk === null ? "password" : "key";
  const isSecret = remotePassword !== null || psk !== null;
  const inFile = isSecret && file !== undefined ? await rightsOf(file, `the ${what} of bridge ${name} in`, true) : [];
  const key = tls === null || tls.keyFile === null ? [] : await rightsOf(tls.keyFile, "the private key", true);
  return [...inFile, ...key];
}

async function ofCertificate({ name, place, tls }: BridgeConfig, nowMs: number): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const files = tls === null ? [] : [tls.certFile, tls.caFile, tls.keyFile].filter((file) => file !== null);
  for (const file of files) {
    const text = await readFile(file).catch((error: NodeJS.ErrnoException) => error);
    if (text instanceof Error)
      found.push(finding("warning", place, `Bridge ${name} will not connect: ${file} cannot be read (${text.code}).`));
    else if (file === tls?.certFile) found.push(...datesOf(text, file, name, nowMs));
  }
  return found;
}

function datesOf(text: Buffer, file: string, name: string, nowMs: number): readonly Finding[] {
  try {
    return findingsOfDates(new X509Certificate(text), file, `The certificate of bridge ${name},`, nowMs);
  } catch {
    return [finding("warning", file, `Bridge ${name} will not connect: ${file} has no certificate in PEM.`)];
  }
}

/** What could go round for ever. */
function ofLoops({ name, topics, version }: BridgeConfig): readonly Finding[] {
  if (version === 5) return [];
  return topics.filter(isEverything).map(({ place }) => {
    const text = `Bridge ${name} has everything cross both ways: before MQTT 5.0 nothing ends messages that a ring of brokers sends round.`;
    return finding(
      "warning",
      place,
      text,
      "Set bridge_protocol_version mqttv50, or let topics go one way, or below prefixes.",
    );
  });
}

function isEverything({ pattern, direction, localPrefix, remotePrefix }: BridgeTopic): boolean {
  return pattern === "#" && direction === "both" && localPrefix === remotePrefix;
}

/** What is lost while the link is down, or this process. */
function ofLosses(bridge: BridgeConfig, { enabled }: Config["persistence"]): readonly Finding[] {
  const { name, place, topics, cleanSession, localCleanSession, startType, version, sessionExpirySeconds } = bridge;
  const crosses = (way: "out" | "in"): boolean =>
    topics.some(({ direction, qos }) => qos > 0 && (direction === way || direction === "both"));
  const found: Finding[] = [];
  const isLocalClean = (localCleanSession ?? cleanSession) && startType !== "lazy";
  if (isLocalClean && crosses("out")) {
    const text = `What bridge ${name} is to bring is lost while the other broker is away, also at QoS 1 and 2: ${localCleanSession === null ? "cleansession" : "local_cleansession"} is true.`;
    found.push(finding("warning", place, text, "Set it to false."));
  } else if (!isLocalClean && !enabled && crosses("out")) {
    const text = `What waits for bridge ${name} ends with this process: persistence is false.`;
    found.push(finding("note", place, text));
  }
  if (!crosses("in")) return found;
  if (cleanSession) {
    const text = `What the other broker has for bridge ${name} is lost while the link is down, also at QoS 1 and 2: cleansession is true.`;
    found.push(finding("warning", place, text, "Set it to false."));
  } else if (version === 5 && (sessionExpirySeconds ?? 0) === 0) {
    const text = `What the other broker has for bridge ${name} is lost while the link is down: with MQTT 5.0 it keeps the session only as long as bridge_session_expiry_interval says, which is not set.`;
    found.push(finding("warning", place, text, "bridge_session_expiry_interval 4294967295 is for ever."));
  }
  return found;
}
