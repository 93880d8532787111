// What the client library does when the way to a broker is bad, secured or through others: the same scenarios at our own broker and at
// mosquitto. In Node only.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  type ClientError,
  connect,
  type DisconnectInfo,
  MqttClient,
  type MqttClientOptions,
  type ReceivedMessage,
} from "../../src/client/index.ts";
import { NO_PROPERTIES, ReasonCode } from "../../src/protocol/index.ts";
import type { Ending } from "../support/ending.ts";
import { closedPort } from "../support/ports.ts";
import { fixture, pem, socksFront } from "./fronts.ts";
import { type Declare, type Naming, uniqueNames } from "./scenario-suite.ts";
import { scriptedDoors } from "./script.ts";
import { weakLink } from "./weak-link.ts";

/** Ports of one broker. All but `password` let anybody in that TLS lets in. */
export interface NetworkPorts {
  readonly plain: number;
  /** A user "device" with the password "se cret", and nobody else. */
  readonly password: number;
  /** With the certificate server.pem of test/fixtures/tls. */
  readonly tls: number;
  readonly tlsFuture: number;
  readonly tlsExpired: number;
  readonly tlsMisnamed: number;
  /** Wants a client's certificate. */
  readonly tlsClient: number;
  /** TLS by the key that `PSK` has, for the identity "device". */
  readonly tlsPsk: number;
  readonly webSocket: number;
  /** Whether it sends more than a client's Receive Maximum, as mosquitto 2.0.11 does when its queue is long: 2, 4, 8 with one of 2. */
  readonly overruns?: boolean;
}

export type NetworkPort = Exclude<keyof NetworkPorts, "overruns">;

export interface NetworkBroker extends NetworkPorts {
  /** A name that nobody else uses there. */
  readonly name: Naming;
}

/** The key of the port `tlsPsk`, in hexadecimal. */
export const PSK = "00112233445566778899aabbccddeeff";

const TRUST = { ca: pem("ca.pem") };
const AT_ONCE = { minimumDelayMs: 1, maximumDelayMs: 5 };

export type NetworkScenario = (broker: NetworkBroker, context: Ending) => Promise<void>;

/** There and back, with more than any transport carries in one piece. */
async function works({ name }: NetworkBroker, url: string, options: MqttClientOptions = {}): Promise<void> {
  await using client = await connect<string>(url, { version: 5, clientId: name("c"), ...options } as MqttClientOptions);
  const topic = name("t/");
  const subscription = client.subscribe<string>(topic, { qos: 1 });
  await subscription.granted;
  const payload = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 251));
  await client.publish<string>(topic, payload, { qos: 1 });
  for await (const message of subscription) {
    assert.deepEqual(Buffer.from(message.payload), payload);
    break;
  }
}

async function failure(url: string, options: MqttClientOptions = {}): Promise<ClientError> {
  const error = await new MqttClient(url, { reconnect: false, ...options }).closed;
  assert.ok(error !== null);
  return error;
}

function refusedByTls(port: NetworkPort, tls: MqttClientOptions["tls"], errnos: readonly string[]): NetworkScenario {
  return async (broker) => {
    const url = `mqtts://127.0.0.1:${broker[port]}`;
    const error = await failure(url, { tls: tls ?? {} });
    assert.deepEqual([error.code, error.rc], ["tls-failed", 8]);
    assert.ok(errnos.includes(error.errno ?? ""), `${error.errno}`);
    // It is the verification and nothing else.
    await works(broker, url, { tls: { ...tls, insecure: true } });
  };
}

/** Whoever goes on after a client was started, with everything that it tells. */
function started(
  { name }: NetworkBroker,
  context: Ending,
  servers: string | readonly string[],
  options: MqttClientOptions = {},
) {
  const client = new MqttClient(servers, { clientId: name("c"), reconnect: AT_ONCE, ...options });
  const ends: DisconnectInfo[] = [];
  client.on("disconnect", (info) => ends.push(info));
  context.after(() => client.disconnect({ drainMs: 0 }));
  return { client, ends };
}

/** A connected subscriber at QoS 2; `until` waits for the message with a text. */
async function listening(broker: NetworkBroker, context: Ending, topic: string) {
  const client = await connect<string>(`mqtt://127.0.0.1:${broker.plain}`, { version: 5, clientId: broker.name("c") });
  context.after(() => client.disconnect({ drainMs: 0 }));
  const got: ReceivedMessage[] = [];
  let look = (): void => {};
  await client.subscribe<string>(topic, {
    qos: 2,
    onMessage: (message) => {
      got.push(message);
      look();
    },
  }).granted;
  const until = (text: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => got.some((message) => message.text === text) && resolve();
      look();
    });
  return { got, until, texts: () => got.map(({ text }) => text) };
}

const KEPT = { version: 5, cleanStart: false, properties: { sessionExpirySeconds: 60 } } as const;

/** A PUBACK or a PUBREC that has nothing more to say. */
const ANSWER_BYTES = 4;

/** The answers to what was published are lost, and the connection with them: it is sent again. */
function resent(qos: 1 | 2): NetworkScenario {
  return async (broker, context) => {
    const topic = broker.name("t/");
    const { got, until, texts } = await listening(broker, context, topic);
    const link = await weakLink(context, broker.plain);
    const { client, ends } = started(broker, context, link.url, KEPT);
    await client.connected;
    link.loseAnswers();
    const all = ["1", "2", "3"].map((text) => client.publish<string>(topic, text, { qos }));
    await link.lost(3 * ANSWER_BYTES);
    // At QoS 1 the broker has passed it on when the subscriber has it.
    if (qos === 1) await until("3");
    link.cut();
    assert.deepEqual(
      (await Promise.all(all)).map(({ mid }) => mid),
      [1, 2, 3],
    );
    await client.publish<string>(topic, "end", { qos });
    await until("end");
    assert.equal(ends[0]?.error?.rc, 7);
    if (qos === 2) return assert.deepEqual(texts(), ["1", "2", "3", "end"]);
    assert.deepEqual(texts(), ["1", "2", "3", "1", "2", "3", "end"]);
    // A receiver cannot see it: DUP is of each hop [3.1.1 MQTT-3.3.1-3].
    assert.ok(got.every(({ dup }) => !dup));
  };
}

export const NETWORK_SCENARIOS = {
  "TLS: a certificate of a CA that is trusted, by address and by name, from a file and from memory": async (broker) => {
    const { tls } = broker;
    await works(broker, `mqtts://127.0.0.1:${tls}`, { tls: TRUST });
    await works(broker, `mqtts://localhost:${tls}`, { tls: { caFile: fixture("ca.pem") } });
    await works(broker, `mqtts://127.0.0.1:${tls}`, { tls: { ...TRUST, serverName: "localhost" } });
  },
  "TLS: a CA that nobody trusts": refusedByTls("tls", undefined, [
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  ]),
  "TLS: a certificate that is not valid yet": refusedByTls("tlsFuture", TRUST, ["CERT_NOT_YET_VALID"]),
  "TLS: a certificate that has expired": refusedByTls("tlsExpired", TRUST, ["CERT_HAS_EXPIRED"]),
  "TLS: a certificate of another name": refusedByTls("tlsMisnamed", TRUST, ["ERR_TLS_CERT_ALTNAME_INVALID"]),
  "TLS: another name than was asked for": refusedByTls("tls", { ...TRUST, serverName: "elsewhere.example" }, [
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ]),
  "TLS: a client's certificate is wanted: ours, a stranger's, none": async (broker) => {
    const url = `mqtts://127.0.0.1:${broker.tlsClient}`;
    await works(broker, url, { tls: { ...TRUST, cert: pem("client.pem"), key: pem("leaf.key") } });
    // TLS 1.3 refuses only after the handshake; when the reason is lost on the way it is 7.
    for (const wrong of [{}, { cert: pem("stranger.pem"), key: pem("leaf.key") }]) {
      assert.ok([7, 8].includes((await failure(url, { tls: { ...TRUST, ...wrong } })).rc));
    }
  },
  "TLS: a key that both sides know, and one that only we know": async (broker) => {
    const url = `mqtts://127.0.0.1:${broker.tlsPsk}`;
    await works(broker, url, { tls: { psk: { identity: "device", key: Buffer.from(PSK, "hex") } } });
    for (const psk of [
      { identity: "device", key: randomBytes(16) },
      { identity: "stranger", key: Buffer.from(PSK, "hex") },
    ]) {
      assert.equal((await failure(url, { tls: { psk } })).rc, 8);
    }
  },
  "TLS where there is none, and none where there is": async ({ plain, tls }) => {
    const error = await failure(`mqtts://127.0.0.1:${plain}`, { tls: TRUST });
    assert.ok([7, 8].includes(error.rc), `rc ${error.rc}`);
    const other = await failure(`mqtt://127.0.0.1:${tls}`, { connackTimeoutMs: 2000 });
    assert.ok([2, 7, 14, 19].includes(other.rc), `rc ${other.rc}`);
  },
  WebSocket: (broker) => works(broker, `ws://127.0.0.1:${broker.webSocket}/mqtt`),
  "a SOCKS5 proxy, with and without a password, plain and with TLS inside": async (broker, context) => {
    const { plain, tls } = broker;
    const open = await socksFront(context, plain, null);
    await works(broker, "mqtt://broker.example", { proxy: `socks5h://127.0.0.1:${open.port}` });
    const locked = await socksFront(context, tls, "se cret");
    await works(broker, "mqtts://localhost", { proxy: `socks5h://me:se%20cret@127.0.0.1:${locked.port}`, tls: TRUST });
    const error = await failure("mqtt://localhost", { proxy: `socks5h://me:wrong@127.0.0.1:${locked.port}` });
    assert.deepEqual([error.code, error.rc], ["proxy-failed", 16]);
  },

  "user name and password: right, wrong, none; it gives up by itself": async (broker, context) => {
    const url = `mqtt://127.0.0.1:${broker.password}`;
    await works(broker, url, { username: "device", password: "se cret" });
    await works(broker, `mqtt://device:se%20cret@127.0.0.1:${broker.password}`);
    for (const version of [4, 5] as const) {
      for (const wrong of [{ username: "device", password: "wrong" }, {}]) {
        const { client, ends } = started(broker, context, url, { ...wrong, version });
        const error = await client.closed;
        assert.deepEqual([error?.code, error?.rc], ["connection-refused", version === 5 ? 2 : 5]);
        assert.ok((version === 5 ? [0x86, 0x87] : [4, 5]).includes(error?.reasonCode ?? 0), `${error?.reasonCode}`);
        assert.deepEqual([ends.length, ends[0]?.willReconnect], [1, false]);
      }
    }
  },
  "a token that has expired is asked for again, and lets us in": async (broker, context) => {
    let asked = 0;
    const credentials = () => ({ username: "device", password: ++asked === 1 ? "old" : "se cret" });
    const { client } = started(broker, context, `mqtt://127.0.0.1:${broker.password}`, {
      credentials,
      reconnect: { ...AT_ONCE, stopsOn: () => false },
    });
    await client.connected;
    assert.equal(asked, 2);
  },

  "nobody there at first: back-off between its bounds, and what waited arrives in order": async (broker, context) => {
    const topic = broker.name("t/");
    const { until, texts } = await listening(broker, context, topic);
    const link = await weakLink(context, broker.plain);
    await link.close();
    const { client, ends } = started(broker, context, link.url, {
      reconnect: { minimumDelayMs: 4, maximumDelayMs: 16 },
    });
    for (const [i, qos] of ([1, 0, 0, 1] as const).entries()) client.publish<string>(topic, `${i}`, { qos });
    await new Promise<void>((resolve) => client.on("disconnect", () => ends.length === 6 && resolve()));
    await link.open();
    await client.connected;
    await client.publish<string>(topic, "end", { qos: 1 });
    await until("end");
    assert.deepEqual(texts(), ["0", "1", "2", "3", "end"]);
    for (const [i, { error, delayMs, wasConnected }] of ends.entries()) {
      assert.deepEqual([error?.rc, error?.errno, wasConnected], [14, "ECONNREFUSED", false]);
      assert.ok(delayMs >= 4 && delayMs <= Math.min(16, 4 * 2 ** (i + 1)), `${i}: ${delayMs} ms`);
    }
  },
  "a network that is silent: 19, and what was under way arrives": async (broker, context) => {
    const topic = broker.name("t/");
    const { until } = await listening(broker, context, topic);
    const link = await weakLink(context, broker.plain);
    const { client, ends } = started(broker, context, link.url, { ...KEPT, keepAliveSeconds: 1 });
    await client.connected;
    link.silence();
    const publication = client.publish<string>(topic, "late", { qos: 1 });
    await new Promise((resolve) => client.on("disconnect", resolve));
    assert.deepEqual([ends[0]?.error?.code, ends[0]?.error?.rc], ["keep-alive-timeout", 19]);
    link.cut();
    await publication;
    await until("late");
  },
  "QoS 1 whose acknowledgement is lost is sent again": resent(1),
  "QoS 2 whose acknowledgement is lost is sent again, and comes once": resent(2),
  "QoS 2 to us: what is lost on the way is sent again, and comes once": async (broker, context) => {
    const topic = broker.name("t/");
    const link = await weakLink(context, broker.plain);
    const { client } = started(broker, context, link.url, KEPT);
    const got: string[] = [];
    const end = new Promise<void>((resolve) => {
      const onMessage = ({ text }: ReceivedMessage): unknown => got.push(text) && text === "end" && resolve();
      client.subscribe<string>(topic, { qos: 2, onMessage });
    });
    await client.publish<string>(topic, "0", { qos: 2 });
    const other = await connect<string>(`mqtt://127.0.0.1:${broker.plain}`, { clientId: broker.name("c") });
    context.after(() => other.disconnect());
    for (let round = 1; round <= 5; round++) {
      link.loseAnswers();
      await other.publish<string>(topic, `${round}`, { qos: 2 });
      const again = new Promise((resolve) => client.on("connect", resolve, { once: true }));
      link.cut();
      assert.equal(((await again) as { readonly sessionPresent: boolean }).sessionPresent, true);
    }
    await other.publish<string>(topic, "end", { qos: 2 });
    await end;
    assert.deepEqual(got, ["0", "1", "2", "3", "4", "5", "end"]);
    // The broker has heard our last PUBCOMP when it answers this.
    await client.unsubscribe<string>(topic);
  },
  "several servers: the one that is there, and the next when it has gone": async (broker, context) => {
    const [first, second] = [await weakLink(context, broker.plain), await weakLink(context, broker.plain)];
    const nobody = `mqtt://127.0.0.1:${await closedPort()}`;
    const { client, ends } = started(broker, context, [nobody, first.url, second.url]);
    assert.equal((await client.connected).server, first.url);
    const again = new Promise((resolve) => client.on("connect", resolve, { once: true }));
    await first.close();
    await again;
    assert.equal(client.connection?.server, second.url);
    assert.equal(ends[0]?.delayMs, 0);
  },
  "a server that sends us elsewhere: followed when it is allowed, and it is there": async (broker, context) => {
    const elsewhere = await scriptedDoors(context, 5);
    const { client } = started(broker, context, elsewhere.url, {
      version: 5,
      followRedirects: ({ port }) => port === broker.plain,
    });
    await elsewhere.play([
      `1 > 10[ 'MQTT' 05 02 003c {21 0014} '${client.clientId}' ]`,
      `1 < 20[ 00 9c {1c '127.0.0.1:${broker.plain}'} ]`,
      "1 closed",
    ]);
    assert.equal((await client.connected).server, `mqtt://127.0.0.1:${broker.plain}`);
  },
  "a consumer that is slow: the broker holds back what it was told to": async (broker, context) => {
    const topic = broker.name("t/");
    const client = await connect<string>(`mqtt://127.0.0.1:${broker.plain}`, {
      version: 5,
      clientId: broker.name("c"),
      receiveMaximum: 2,
    });
    context.after(() => client.disconnect({ drainMs: 0 }));
    let came = 0;
    client.onLog = (_, text) => void (/received PUBLISH/.test(text) && came++);
    const subscription = client.subscribe<string>(topic, { qos: 1 });
    await subscription.granted;
    const other = await connect<string>(`mqtt://127.0.0.1:${broker.plain}`, { clientId: broker.name("c") });
    context.after(() => other.disconnect());
    for (let i = 0; i < 20; i++) await other.publish<string>(topic, `${i}`, { qos: 1 });
    const got: string[] = [];
    for await (const { text } of subscription) {
      // Of those that came at most two have no acknowledgement: this one, and the next.
      assert.ok(broker.overruns || came <= got.length + 2, `${came} came when ${got.length} were done`);
      if (got.push(text) === 20) break;
    }
    assert.deepEqual(
      got,
      Array.from({ length: 20 }, (_, i) => `${i}`),
    );
  },
  "an enhanced authentication that the broker does not know": async ({ plain }) => {
    const authentication = { method: "NO-SUCH-METHOD", answer: () => undefined };
    const error = await failure(`mqtt://127.0.0.1:${plain}`, { version: 5, authentication });
    assert.deepEqual([error.code, error.reasonCode], ["connection-refused", ReasonCode.BadAuthenticationMethod]);
    assert.equal(NO_PROPERTIES.authenticationMethod, undefined);
  },
} satisfies Readonly<Record<string, NetworkScenario>>;

/** Declares all of them, at a broker with these ports. */
export function declareNetworkScenarios(ports: () => Promise<NetworkPorts>, declare: Declare): void {
  const name = uniqueNames();
  for (const [what, scenario] of Object.entries<NetworkScenario>(NETWORK_SCENARIOS)) {
    declare(what, async (context) => scenario({ ...(await ports()), name }, context));
  }
}
