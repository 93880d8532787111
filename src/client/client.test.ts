/** The client on links in memory: one write for each turn, requests before and after, reconnection, and its errors. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Link } from "../core/index.ts";
import { type Connack, encodePacket, NO_PROPERTIES, type Packet, ReasonCode, type Taken } from "../protocol/index.ts";
import type { Connector, LinkSeeker } from "../transport/index.ts";
import { Client, type ClientListener, type ClientOptions } from "./client.ts";
import { ClientError } from "./errors.ts";

const CONNACK: Connack = { type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES };

/** One attempt of the client to connect. */
class Attempt implements Link {
  readonly remoteAddress = "memory";
  readonly writes: string[] = [];
  readonly seeker: LinkSeeker;
  isClosed = false;
  wasGivenUp = false;
  isPaused = false;

  constructor(seeker: LinkSeeker) {
    this.seeker = seeker;
  }

  write({ segments }: Taken): number {
    this.writes.push(Buffer.concat(segments).toString("hex"));
    return 0;
  }

  close(): void {
    this.isClosed = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  receive(packet: Packet): void {
    this.seeker.receive(encodePacket(packet, 4));
  }

  accept(connack: Partial<Connack> = {}): void {
    this.seeker.opened(this);
    this.receive({ ...CONNACK, ...connack });
  }
}

class MemoryConnector implements Connector {
  readonly address = "memory";
  readonly attempts: Attempt[] = [];
  /** Resolves with the next attempt. */
  next: Promise<Attempt>;
  #found!: (attempt: Attempt) => void;

  constructor() {
    this.next = this.#wait();
  }

  #wait(): Promise<Attempt> {
    return new Promise((resolve) => {
      this.#found = resolve;
    });
  }

  connect(seeker: LinkSeeker): () => void {
    const attempt = new Attempt(seeker);
    this.attempts.push(attempt);
    this.#found(attempt);
    this.next = this.#wait();
    return () => {
      attempt.wasGivenUp = true;
    };
  }
}

function start(context: TestContext, options: Partial<ClientOptions> = {}, listener: ClientListener = {}) {
  const connector = new MemoryConnector();
  const told: string[] = [];
  const errors: (ClientError | null)[] = [];
  const client = new Client(
    { connector, clientId: "c", ...options },
    {
      connected: () => told.push("connected"),
      published: (mid) => told.push(`published ${mid}`),
      disconnected: (error, willReconnect) => {
        errors.push(error);
        told.push(`disconnected ${error?.code ?? "wanted"}${willReconnect ? ", again" : ""}`);
      },
      ...listener,
    },
  );
  client.connect();
  // Its timers would keep the process.
  context.after(() => client.disconnect());
  return { client, connector, told, errors, attempt: connector.attempts[0]! };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the CONNECT has libmosquitto's defaults, byte for byte", (context) => {
  const { attempt } = start(context);
  attempt.seeker.opened(attempt);
  assert.deepEqual(attempt.writes, ["100d00044d5154540402003c000163"]);
  const { attempt: newer } = start(context, { version: 5 });
  newer.seeker.opened(newer);
  assert.deepEqual(newer.writes, ["101100044d5154540502003c03210014000163"]);
});

test("everything that one turn asks for leaves in one write", async (context) => {
  const { client, told, attempt } = start(context);
  attempt.accept();
  assert.deepEqual([client.publish("t", "a"), client.publish("t", "b", { qos: 1 })], [1, 2]);
  client.subscribe([{ topicFilter: "t", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }]);
  client.unsubscribe(["t"]);
  assert.equal(attempt.writes.length, 1);
  await turn();
  assert.deepEqual(attempt.writes.slice(1), [
    "300400017461" + "32060001740002" + "62" + "820600030001740" + "0" + "a20500040001" + "74",
  ]);
  assert.deepEqual(told, ["connected", "published 1"]);
});

test("a goodbye leaves with what was asked for before, and the link closes", (context) => {
  const { client, told, attempt } = start(context);
  attempt.accept();
  client.publish("t", "a");
  client.disconnect();
  assert.deepEqual(attempt.writes.slice(1), ["300400017461e000"]);
  assert.equal(attempt.isClosed, true);
  assert.deepEqual(told, ["connected", "published 1", "disconnected wanted"]);
  assert.equal(client.isConnected, false);
  assert.throws(() => client.publish("t", "late"), { code: "not-connected", rc: 4 });
});

test("a goodbye while connecting gives up", (context) => {
  const { client, told, attempt } = start(context);
  client.disconnect();
  assert.equal(attempt.wasGivenUp, true);
  assert.deepEqual(told, ["disconnected wanted"]);
});

test("a lost connection is made again as the policy says, and what waits goes out", async (context) => {
  const failures: number[] = [];
  const reconnect = (error: ClientError, count: number): number => {
    assert.equal(error.rc, 7);
    failures.push(count);
    return 0;
  };
  const { client, connector, told, attempt } = start(context, { reconnect, cleanStart: false });
  attempt.accept();
  client.publish("t", "a", { qos: 1 });
  attempt.seeker.closed(false);
  assert.equal(client.publish("t", "b", { qos: 1 }), 2);
  const second = await connector.next;
  second.accept({ sessionPresent: true });
  assert.deepEqual(second.writes.slice(1), ["3a06000174000161" + "3206000174000262"]);
  assert.deepEqual(told, ["connected", "disconnected connection-lost, again", "connected"]);
  assert.deepEqual(failures, [0]);
});

test("a first connection that fails is not tried again by itself, but may be", (context) => {
  const { client, connector, told, errors, attempt } = start(context, { reconnect: () => 0 });
  attempt.seeker.closed(true, Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
  assert.deepEqual(told, ["disconnected network-error"]);
  assert.deepEqual([errors[0]?.rc, errors[0]?.errno], [14, "ECONNREFUSED"]);
  client.connect();
  connector.attempts[1]!.accept();
  assert.equal(client.isConnected, true);
});

test("a goodbye between two connections stops the next", async (context) => {
  const { client, connector, told, attempt } = start(context, { reconnect: () => 0 });
  attempt.accept();
  attempt.seeker.closed(false);
  client.disconnect();
  await turn();
  assert.equal(connector.attempts.length, 1);
  assert.deepEqual(told.at(-1), "disconnected wanted");
});

test("an identifier that the server chose is kept", async (context) => {
  const { client, connector, attempt } = start(context, {
    version: 5,
    clientId: "",
    cleanStart: true,
    reconnect: () => 0,
  });
  attempt.seeker.opened(attempt);
  attempt.seeker.receive(encodePacket({ ...CONNACK, properties: { assignedClientId: "auto" } }, 5));
  assert.equal(client.clientId, "auto");
  attempt.seeker.closed(false);
  const second = await connector.next;
  second.seeker.opened(second);
  assert.match(second.writes[0]!, /00046175746f$/);
});

test("much output does not wait for the end of the turn", (context) => {
  const { client, attempt } = start(context);
  attempt.accept();
  for (let i = 0; i < 5; i++) client.publish("t", new Uint8Array(100_000));
  assert.equal(attempt.writes.length, 2);
});

test("pausing and resuming reach the link", (context) => {
  const { client, attempt } = start(context);
  attempt.accept();
  client.pause();
  assert.equal(attempt.isPaused, true);
  client.resume();
  assert.equal(attempt.isPaused, false);
});

for (const [what, end, expected] of [
  [
    "a refusal before 5.0",
    (a: Attempt) => a.accept({ reasonCode: 5 }),
    { code: "connection-refused", rc: 5, reasonCode: 5 },
  ],
  ["a name without address", failed("ENOTFOUND"), { code: "lookup-failed", rc: 15, errno: "ENOTFOUND" }],
  ["no way to the server", failed("EHOSTUNREACH"), { code: "network-error", rc: 14, errno: "EHOSTUNREACH" }],
  ["a reset", reset, { code: "connection-lost", rc: 7, errno: "ECONNRESET" }],
  ["nonsense", nonsense, { code: "protocol-error", rc: 2, reasonCode: ReasonCode.ProtocolError }],
] as const) {
  test(`the error of ${what} has its code and its number`, (context) => {
    const { errors, attempt } = start(context);
    end(attempt);
    const error = errors[0];
    assert.ok(error instanceof ClientError);
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name as keyof ClientError], value, name);
  });
}

function failed(code: string): (attempt: Attempt) => void {
  return ({ seeker }) => seeker.closed(true, Object.assign(new Error(code), { code }));
}

function reset(attempt: Attempt): void {
  attempt.accept();
  attempt.seeker.closed(true, Object.assign(new Error("reset"), { code: "ECONNRESET" }));
}

function nonsense(attempt: Attempt): void {
  attempt.accept();
  attempt.seeker.receive(new Uint8Array([0, 0]));
}
