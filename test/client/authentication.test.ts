// Enhanced authentication of MQTT 5.0 at a scripted server: steps, failures on either side, and once more later.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Authentication, MqttClient } from "../../src/client/index.ts";
import { ReasonCode } from "../../src/protocol/index.ts";
import { type ScriptedPeer, startScripted } from "./scripted-server.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();

async function start(context: TestContext, authentication: Partial<Authentication> = {}) {
  const server = await startScripted(context, 5);
  const client = new MqttClient(server.url, {
    version: 5,
    clientId: "c",
    reconnect: { minimumDelayMs: 0, maximumDelayMs: 0 },
    authentication: {
      method: "TEST",
      start: () => bytes("start"),
      answer: async (data) => bytes(`answer to ${text(data)}`),
      ...authentication,
    },
  });
  context.after(() => client.disconnect({ drainMs: 0 }));
  return { server, client };
}

function challenge(peer: ScriptedPeer, reasonCode: number, data?: string): void {
  const properties = { authenticationMethod: "TEST", ...(data !== undefined && { authenticationData: bytes(data) }) };
  peer.send({ type: "AUTH", reasonCode, properties });
}

const LET_IN = { properties: { authenticationMethod: "TEST", authenticationData: bytes("proof") } };

test("step by step, and the server's proof comes last", async (context) => {
  const proofs: string[] = [];
  const { server, client } = await start(context, { finish: (data) => void proofs.push(text(data)) });
  const peer = await server.next();
  const { properties } = await peer.expect("CONNECT");
  assert.deepEqual([properties.authenticationMethod, text(properties.authenticationData)], ["TEST", "start"]);
  for (const step of ["one", "two"]) {
    challenge(peer, ReasonCode.ContinueAuthentication, step);
    const answer = await peer.expect("AUTH");
    assert.equal(answer.reasonCode, ReasonCode.ContinueAuthentication);
    assert.equal(text(answer.properties.authenticationData), `answer to ${step}`);
  }
  peer.send({ type: "CONNACK", sessionPresent: false, reasonCode: 0, ...LET_IN });
  await client.connected;
  assert.deepEqual(proofs, ["proof"]);
});

test("a step that throws ends the client", async (context) => {
  const { server, client } = await start(context, {
    answer: () => {
      throw new Error("the challenge is not signed");
    },
  });
  const peer = await server.next();
  await peer.expect("CONNECT");
  challenge(peer, ReasonCode.ContinueAuthentication, "x");
  const error = await client.closed;
  assert.deepEqual([error?.code, error?.rc], ["authentication-failed", 11]);
  assert.match(error!.message, /not signed/);
  await peer.closed();
});

test("so does a server that does not prove who it is, and a start that fails", async (context) => {
  const { server, client } = await start(context, {
    finish: () => {
      throw new Error("the proof is wrong");
    },
  });
  const peer = await server.next();
  await peer.accept(LET_IN);
  assert.match((await client.closed)!.message, /proof is wrong/);
  const other = await start(context, { start: () => Promise.reject(new Error("no key")) });
  assert.deepEqual((await other.client.closed)?.code, "authentication-failed");
});

test("once more on the same connection, and what that does when the connection goes", async (context) => {
  const { server, client } = await start(context);
  const peer = await server.next();
  await peer.accept(LET_IN);
  await client.connected;
  const again = client.reauthenticate();
  assert.equal((await peer.expect("AUTH")).reasonCode, ReasonCode.ReAuthenticate);
  challenge(peer, ReasonCode.ContinueAuthentication, "three");
  assert.equal(text((await peer.expect("AUTH")).properties.authenticationData), "answer to three");
  challenge(peer, ReasonCode.Success);
  await again;
  const lost = client.reauthenticate();
  await peer.expect("AUTH");
  peer.drop();
  await assert.rejects(lost, { code: "connection-lost" });
  await (await server.next()).accept(LET_IN);
  await client.connected;
});

test("a server that asks for another method, or unasked, makes a mistake", async (context) => {
  const { server, client } = await start(context);
  const peer = await server.next();
  await peer.expect("CONNECT");
  peer.send({
    type: "AUTH",
    reasonCode: ReasonCode.ContinueAuthentication,
    properties: { authenticationMethod: "OTHER" },
  });
  const ended = new Promise((resolve) => client.on("disconnect", ({ error }) => resolve(error?.code), { once: true }));
  assert.equal(await ended, "protocol-error");
  const plain = new MqttClient(server.url, { version: 5, reconnect: false });
  const second = await server
    .next()
    .then(async (next) => ((await next.expect("CONNECT")).clientId === "" ? next : server.next()));
  second.send({
    type: "AUTH",
    reasonCode: ReasonCode.ContinueAuthentication,
    properties: { authenticationMethod: "X" },
  });
  assert.equal((await plain.closed)?.code, "protocol-error");
  await assert.rejects(plain.reauthenticate(), { code: "invalid-argument" });
});
