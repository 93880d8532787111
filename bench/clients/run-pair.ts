// A process that measures one library: node run-pair.js lacewing|mqttjs PORT QOS WINDOW SECONDS WARM-UP PAYLOAD-BYTES.
// Prints a PairResult as JSON.
import { type OpenPair, runPair } from "./pair.ts";

const LIBRARIES: Readonly<Record<string, () => Promise<{ readonly openPair: OpenPair }>>> = {
  lacewing: () => import("./lacewing-pair.ts"),
  mqttjs: () => import("./mqttjs-pair.ts"),
};

const [library = "", ...numbers] = process.argv.slice(2);
const [port, qos, window = 0, seconds = 0, warmUpSeconds = 0, payloadBytes = 0] = numbers.map(Number);
const load = LIBRARIES[library];
if (load === undefined || (qos !== 0 && qos !== 1 && qos !== 2)) throw new Error("wrong arguments");
const { openPair } = await load();
const plan = { qos, window, seconds, warmUpSeconds, payloadBytes } as const;
console.log(JSON.stringify(await runPair(openPair, `mqtt://127.0.0.1:${port}`, plan)));
