// Our tools and mosquitto's before the same scripted server: the same bytes to it, the same text, the same exit code.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { findPeer, startPeer, testWithPeers } from "../support/peers.ts";
import { type Script, ScriptedServer } from "./scripted-server.ts";
import { runTool } from "./tool-run.ts";

interface Row {
  readonly tool: keyof typeof TOOL_PROGRAMS;
  /** After -h, -p and -i. */
  readonly args: readonly string[];
  readonly script: Script;
  readonly input?: string;
}

/** What a run did, as far as it must be the same. */
interface Did {
  readonly code: number | null;
  readonly out: string;
  /** Lines of standard error that are not empty. */
  readonly errors: readonly string[];
  readonly sent: readonly string[];
}

const CONNACK = "20 02 0000";
const CONNACK_5 = "20 03 000000";

function pub(args: string, script: Script, input?: string): Row {
  return { tool: "pub", args: args.split(" "), script, ...(input !== undefined && { input }) };
}

function sub(args: string, script: Script): Row {
  return { tool: "sub", args: args.split(" "), script };
}

function connacks(version: string): Script {
  return { CONNECT: version === "5" ? CONNACK_5 : CONNACK };
}

function* rows(): Generator<Row> {
  for (const version of ["31", "311", "5"]) {
    const accept = connacks(version);
    const acknowledge = { ...accept, PUBLISH: "40020001", PUBREL: "70020001" };
    yield pub(`-V ${version} -t a/b -m hello -d`, acknowledge);
    yield pub(`-V ${version} -t a/b -m hello -q 1 -r -d`, acknowledge);
    yield pub(`-V ${version} -t a/b -n -q 2 -d`, { ...acknowledge, PUBLISH: "50020001" });
    yield pub(`-V ${version} -t t -m x -u user -P secret -k 10 -c`, accept);
    yield pub(`-V ${version} -t t -m x --will-topic w --will-payload bye --will-qos 2 --will-retain`, accept);
    yield pub(`-V ${version} -t t -m x --will-topic w`, accept);
    yield pub(`-V ${version} -t t -q 1 -m x -d`, { ...accept, PUBLISH: "close" });
    yield pub(`-V ${version} -t t -q 1 -m x -d`, { CONNECT: "close" });
    yield sub(`-V ${version} -t t -t u/# -q 2 -E -d`, {
      ...accept,
      SUBSCRIBE: version === "5" ? "90 05 0001 00 0002" : "90 04 0001 0002",
    });
    yield* receiving(version);
  }
  yield* propertyRows();
  yield { tool: "rr", args: "-t a -e b -m x".split(" "), script: { CONNECT: "20 03 008700" } };
  yield* pubRows();
  yield* subRows();
}

/** A SUBACK and the messages behind it, in the form of `version`. */
function subackAnd(version: string, ...publishes: string[]): string {
  return [version === "5" ? "9004 0001 00 02" : "9003 0001 02", ...publishes].join("");
}

/** A PUBLISH on "t" of a payload in hexadecimal. */
function publish(version: string, first: string, packetId: string, payload: string): string {
  const body = `000174${packetId}${version === "5" ? "00" : ""}${payload}`;
  return first + (body.length / 2).toString(16).padStart(2, "0") + body;
}

function* receiving(version: string): Generator<Row> {
  const accept = connacks(version);
  const zero = publish(version, "30", "", "6869");
  const one = publish(version, "32", "0007", "6869");
  const two = publish(version, "34", "0008", "6869");
  const retained = publish(version, "31", "", "6f6c64");
  const empty = publish(version, "30", "", "");
  const script = (...publishes: string[]): Script => ({
    ...accept,
    SUBSCRIBE: subackAnd(version, ...publishes),
    PUBREC: "62020008",
  });
  const twice = { ...script(two, two.replace(/^34/, "3c")), PUBREC: ["", `62020008${zero}`] };
  yield sub(`-V ${version} -t t -q 2 -C 1 -d`, script(zero));
  yield sub(`-V ${version} -t t -q 2 -C 1 -d -v`, script(one));
  yield sub(`-V ${version} -t t -q 2 -C 1 -d`, script(two));
  yield sub(`-V ${version} -t t -q 2 -C 2 -d`, twice);
  yield sub(`-V ${version} -t t -q 2 -C 1 -R -d`, script(retained, zero));
  yield sub(`-V ${version} -t t -q 2 -C 2 -v`, script(retained, empty));
  yield sub(`-V ${version} -t t -q 2 -C 3 -N`, script(retained, empty, zero));
}

/** A property each, as the order of several is anybody's choice. */
function* propertyRows(): Generator<Row> {
  const accept = { CONNECT: CONNACK_5, SUBSCRIBE: "90 04 0001 00 00", UNSUBSCRIBE: "b0 04 0002 00 00" };
  for (const property of [
    "connect session-expiry-interval 5",
    "connect maximum-packet-size 1000",
    "connect request-problem-information 0",
    "connect request-response-information 1",
    "connect topic-alias-maximum 5",
    "publish content-type text/plain",
    "publish correlation-data c-1",
    "publish message-expiry-interval 60",
    "publish payload-format-indicator 1",
    "publish response-topic answers",
    "publish user-property k v",
    "disconnect session-expiry-interval 6",
    "disconnect user-property k v",
    "will will-delay-interval 5 --will-topic w",
    "will content-type x --will-topic w",
  ]) {
    yield pub(`-V 5 -t t -m x -D ${property}`, accept);
  }
  // Not together with -U: whether mosquitto_sub -E still says DISCONNECT then is chance.
  yield sub("-V 5 -t t -E -D subscribe user-property k v", accept);
  yield sub("-V 5 -t t -E -D subscribe subscription-identifier 200", accept);
  yield sub("-V 5 -t t -E --retain-as-published -R", accept);
}

function* pubRows(): Generator<Row> {
  const accept = connacks("5");
  for (const code of [1, 2, 3, 4, 5]) yield pub("-t t -m x -d", { CONNECT: `20 02 000${code}` });
  for (const code of ["80", "84", "85", "87", "88", "97"])
    yield pub("-V 5 -t t -m x -d", { CONNECT: `20 03 00${code}00` });
  for (const code of ["10", "87", "97"])
    yield pub("-V 5 -t t -m x -q 1 -d", { ...accept, PUBLISH: `40 03 0001 ${code}` });
  yield pub("-V 5 -t t -m x -q 2 -d", { ...accept, PUBLISH: "50 03 0001 87" });
  yield pub("-V 5 -t t -m x -q 1 -d", { ...accept, PUBLISH: "e0 01 8e" });
  yield pub("-V 5 -t t -m x -x 20", accept);
  yield pub("-V 5 -t t -m x -x -1 -c", accept);
  yield pub("-V 5 -t t -m x -c -x 7", accept);
  yield pub("-V 5 -t t -m x -q 2 -d", { CONNECT: "20 05 0000 02 2401" });
  yield pub("-V 5 -t t -m x -q 1 -d --quiet", { CONNECT: "20 03 008700" });
  yield pub("-V 5 -t t -m too-long-for-this-server -d", { CONNECT: "20 08 0000 05 2700000014" });
  yield pub("-t t -l -q 1", { CONNECT: CONNACK, PUBLISH: ["40020001", "40020002", "40020003"] }, "one\n\nthree");
  yield pub("-t t -l -d", { CONNECT: CONNACK }, "");
  yield pub("-t t -s -d", { CONNECT: CONNACK }, "all of\nit\n");
  yield pub("-t t -m x -q 1 --repeat 2 -d", { CONNECT: CONNACK, PUBLISH: ["40020001", "40020002"] });
  yield pub("-t t -m x -q 1 -d", { CONNECT: CONNACK, PUBLISH: "50020009 40020001" });
}

function* subRows(): Generator<Row> {
  yield sub("-t t -d", { CONNECT: CONNACK, SUBSCRIBE: "90 03 0001 80" });
  yield sub("-V 5 -t t -d", { CONNECT: CONNACK_5, SUBSCRIBE: "90 04 0001 00 87" });
  yield sub("-V 5 -t t -t u -E -d", { CONNECT: CONNACK_5, SUBSCRIBE: "90 05 0001 00 8700" });
  yield sub("-t t -U u -U v -d", { CONNECT: CONNACK, UNSUBSCRIBE: ["b0020002", "b0020003 90 03 0001 80"] });
  yield sub("-V 5 -t t -d", { CONNECT: CONNACK_5, SUBSCRIBE: "e0 01 8e" });
  yield sub("-V 5 -t t -d", { CONNECT: "20 03 008700" });
  yield sub("-t t -d", { CONNECT: "20 02 0005" });
  // Everything but one is filtered out.
  yield sub("-t # -T t -v -C 1", { CONNECT: CONNACK, SUBSCRIBE: "90 03 0001 00 3005 0001 74 6869 3005 0001 75 6869" });
}

const TOOL_PROGRAMS = { pub: "mosquitto_pub", rr: "mosquitto_rr", sub: "mosquitto_sub" } as const;

async function ours({ tool, args, input }: Row, server: ScriptedServer): Promise<Did> {
  const ended = await runTool(tool, [...fixed(server), ...args], input);
  await server.allClosed();
  return did(ended, server);
}

async function theirs({ tool, args, input }: Row, server: ScriptedServer): Promise<Did> {
  const ended = await startPeer(TOOL_PROGRAMS[tool], [...fixed(server), ...args], {
    ...(input !== undefined && { input }),
  }).end();
  await server.allClosed();
  return did(ended, server);
}

function fixed({ port }: ScriptedServer): string[] {
  return ["-h", "127.0.0.1", "-p", String(port), "-i", "S"];
}

function did(ended: { code: number | null; out: string; errors: string }, { connections }: ScriptedServer): Did {
  const errors = ended.errors.split("\n").filter((line) => line !== "");
  return { code: ended.code, out: ended.out, errors, sent: [...connections] };
}

async function compare(context: TestContext, row: Row): Promise<void> {
  const [we, they] = await Promise.all([
    ours(row, await ScriptedServer.start(context, row.script)),
    theirs(row, await ScriptedServer.start(context, row.script)),
  ]);
  assert.deepEqual({ ...we, errors: [] }, { ...they, errors: [] });
  // Where they say something we say the same; we may say more.
  assert.deepEqual(we.errors.slice(0, they.errors.length), they.errors);
}

for (const row of rows()) {
  const needed = TOOL_PROGRAMS[row.tool];
  const answers = Object.entries(row.script).map(([name, answer]) => `${name}: ${answer}`);
  testWithPeers(`${row.tool} ${row.args.join(" ")} where ${answers.join("; ")}`, [needed], (context) =>
    compare(context, row),
  );
}

test("the tools compared with are those of mosquitto 2.0, whose lines are known", () => {
  const version = findPeer("mosquitto_pub")?.version;
  if (version !== undefined) assert.match(version, /^2\./);
});
