// A process that opens clients which then say nothing: node run-idle.js lacewing|mqttjs PORT FEWER MORE. Prints what one costs
// as JSON: resident memory with MORE of them less that with FEWER, for each that came in between.
import { residentKib, settledKib } from "../load/process-figures.ts";

const LIBRARIES: Readonly<Record<string, () => Promise<{ readonly openIdle: OpenIdle }>>> = {
  lacewing: () => import("./lacewing-idle.ts"),
  mqttjs: () => import("./mqttjs-idle.ts"),
};

/** Opens one client from the address `from` of this machine; resolves when the server has let it in. */
export type OpenIdle = (url: string, from: string) => Promise<unknown>;

/** Handshakes under way at once. */
const AT_ONCE = 50;
/** One address of this machine has ports for so many. */
const CLIENTS_FOR_EACH_ADDRESS = 2000;
const SETTLE_LIMIT_SECONDS = 10;

const clients: unknown[] = [];

async function openUpTo(count: number, url: string, open: OpenIdle): Promise<number> {
  while (clients.length < count) {
    const first = clients.length;
    const burst = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => {
      const address = 1 + Math.floor((first + i) / CLIENTS_FOR_EACH_ADDRESS);
      return open(url, `127.0.0.${address}`);
    });
    clients.push(...(await Promise.all(burst)));
  }
  return settledKib(process.pid, SETTLE_LIMIT_SECONDS);
}

const [library = "", port = "", fewer = "", more = ""] = process.argv.slice(2);
const load = LIBRARIES[library];
if (load === undefined) throw new Error("wrong arguments");
const { openIdle } = await load();
const url = `mqtt://127.0.0.1:${port}`;
const noneKib = residentKib(process.pid);
const fewerKib = await openUpTo(Number(fewer), url, openIdle);
const moreKib = await openUpTo(Number(more), url, openIdle);
const kibPerClient = (moreKib - fewerKib) / (Number(more) - Number(fewer));
const kibOfAll = (moreKib - noneKib) / Number(more);
process.stdout.write(`${JSON.stringify({ kibPerClient, kibOfAll })}\n`, () => process.exit(0));
