// examples/configs, and Debian's packaged configuration: each under mosquitto and under Lacewing, with the same clients and the same result.
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect as openSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ConnectionError, connect, type MqttClient, type MqttClientOptions } from "../../src/client/index.ts";
import { type PeerName, startPeer, testWithPeers } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { Certificates } from "../transport/certificates.ts";
import { MAIN } from "./broker-process.ts";

const PAUSE_MS = 20;
const LIMIT_MS = 60_000;
const EXAMPLES = join(ROOT, "examples/configs");

type BrokerName = "mosquitto" | "lacewing";

/** Where an example lies in place of /etc, /var, /run; without a blank, which paths of mosquitto.conf cannot all have. */
class Site {
  readonly folder: string;
  readonly ports: ReadonlyMap<string, number>;
  readonly #context: TestContext;

  constructor(context: TestContext, ports: ReadonlyMap<string, number>) {
    this.#context = context;
    this.ports = ports;
    this.folder = mkdtempSync(join(tmpdir(), "lacewing-example-"));
    context.after(() => rmSync(this.folder, { recursive: true, force: true }));
    for (const name of ["etc/certs", "etc/conf.d", "var", "central", "log", "run"])
      mkdirSync(join(this.folder, name), { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Puts a file of /etc/mosquitto there, with the places of this site in it. */
  place(from: string, name: string): string {
    const text = readFileSync(from, "utf8")
      .replaceAll("/etc/mosquitto", this.path("etc"))
      .replaceAll("/var/lib/mosquitto-central", this.path("central"))
      .replaceAll("/var/lib/mosquitto", this.path("var"))
      .replaceAll("/var/log/mosquitto", this.path("log"))
      .replaceAll("/run/mosquitto", this.path("run"))
      .replaceAll("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so", dynamicSecurityPlugin())
      .replaceAll(/^listener (\d+).*/gm, (_, port: string) => `listener ${this.port(port)} 127.0.0.1`)
      .replaceAll(/central\.example\.org:(\d+)/g, (_, port: string) => `127.0.0.1:${this.port(port)}`);
    // A mosquitto of root becomes a user who may not read here.
    writeFileSync(this.path(`etc/${name}`), name.endsWith(".conf") ? `user root\n${text}` : text);
    return this.path(`etc/${name}`);
  }

  port(written: string): number {
    const port = this.ports.get(written);
    if (port === undefined) throw new Error(`no port for ${written}`);
    return port;
  }

  async setPassword(username: string, password: string): Promise<void> {
    const file = this.path("etc/passwd");
    const create = existsSync(file) ? [] : ["-c"];
    const { code } = await startPeer("mosquitto_passwd", ["-b", ...create, file, username, password]).end();
    assert.equal(code, 0);
  }

  /** Certificates as the examples name them: a server's for this machine, machines' by their names, one of them revoked. */
  certify(): void {
    const made = new Certificates(this.folder);
    made.make("server", { usage: "serverAuth", names: "DNS:localhost,IP:127.0.0.1" });
    for (const name of ["press-1", "control-room", "press-2"]) made.make(name, { subject: `/O=Factory/CN=${name}` });
    made.make("stranger-1", { ca: "stranger", subject: "/O=Elsewhere/CN=control-room" });
    made.revoke("etc/certs/revoked.crl", ["press-2"]);
    copyFileSync(made.path("cas.pem"), this.path("etc/certs/ca.crt"));
    copyFileSync(made.path("server-chain.pem"), this.path("etc/certs/server.crt"));
    copyFileSync(made.path("server.key"), this.path("etc/certs/server.key"));
  }

  /** Options of TLS for a client, with the certificate of that name. */
  tls(name: string | null = null): MqttClientOptions {
    const caFile = this.path("etc/certs/ca.crt");
    if (name === null) return { tls: { caFile } };
    return { tls: { caFile, certFile: this.path(`${name}-chain.pem`), keyFile: this.path(`${name}.key`) } };
  }

  /** Starts a broker with a file of this site; resolves when it listens on `port`. */
  async run(broker: BrokerName, file: string, port: number, options: readonly string[] = []): Promise<void> {
    const program =
      broker === "mosquitto"
        ? startPeer("mosquitto", ["-c", file, ...options])
        : new Program(process.execPath, [MAIN, "-c", file, ...options]);
    this.#context.after(() => program.stop());
    // It logs to a file; whether it listens is found out by asking.
    const deadline = AbortSignal.timeout(LIMIT_MS);
    while (!(await listens(port)))
      if (deadline.aborted) throw new Error(`${broker} does not listen on ${port}: ${program.out}${program.errors}`);
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = openSocket(port, "127.0.0.1");
    const told = (isListening: boolean) => () => {
      socket.destroy();
      setTimeout(resolve, isListening ? 0 : PAUSE_MS, isListening);
    };
    socket.once("connect", told(true)).once("error", told(false));
  });
}

function dynamicSecurityPlugin(): string {
  const libraries = "/usr/lib";
  const paths = readdirSync(libraries).map((folder) => `${libraries}/${folder}/mosquitto_dynamic_security.so`);
  return paths.find((path) => existsSync(path)) ?? "mosquitto_dynamic_security.so";
}

/** What a script has seen, as lines that must be the same under both brokers. */
type Outcome = readonly string[];

/** A client that notes what it gets. */
class Guest {
  readonly client: MqttClient;
  readonly heard: string[] = [];
  #waiting: (() => void)[] = [];

  constructor(client: MqttClient) {
    this.client = client;
  }

  /** Returns the granted QoS, or the refusal. */
  async subscribe(topicFilter: string, qos: 0 | 1 | 2 = 1): Promise<string> {
    const onMessage = ({ topicName, text, retain }: { topicName: string; text: string; retain: boolean }): void => {
      this.heard.push(`${topicName}=${text}${retain ? " (retained)" : ""}`);
      for (const look of this.#waiting.splice(0)) look();
    };
    const { granted } = this.client.subscribe(topicFilter, { qos, onMessage });
    return granted.then(
      ({ reasonCodes }) => `granted ${reasonCodes}`,
      (error: Error) => error.name,
    );
  }

  /** Resolves when something with `text` in it has come. */
  async hears(text: string): Promise<void> {
    while (!this.heard.some((each) => each.includes(text)))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  publish(topicName: string, text: string, retain: boolean = false): Promise<unknown> {
    return this.client.publish(topicName, text, { qos: 1, retain });
  }
}

/** The clients of one script, which end with it. */
class Guests {
  readonly #all: MqttClient[] = [];

  async enter(url: string, options: MqttClientOptions = {}): Promise<Guest> {
    const client = await connect(url, options);
    this.#all.push(client);
    return new Guest(client);
  }

  /** How an attempt to enter ends: "in", what CONNACK says, or "refused" by TLS. */
  async attempt(url: string, options: MqttClientOptions = {}): Promise<string> {
    try {
      await (await connect(url, options)).disconnect();
      return "in";
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      return error.reasonCode === null ? "refused" : `CONNACK ${error.reasonCode}`;
    }
  }

  async leave(): Promise<void> {
    await Promise.all(this.#all.map((client) => client.disconnect()));
  }
}

/** Plays `script` against both. */
function beside(
  name: string,
  peers: readonly PeerName[],
  written: readonly string[],
  script: (site: Site, broker: BrokerName, guests: Guests) => Promise<Outcome>,
): void {
  testWithPeers(name, ["mosquitto", "mosquitto_passwd", ...peers], async (context) => {
    const outcomes: Outcome[] = [];
    for (const broker of ["mosquitto", "lacewing"] as const) {
      const free = await freePorts(written.length);
      const site = new Site(context, new Map(written.map((port, at) => [port, free[at]!])));
      const guests = new Guests();
      outcomes.push(await script(site, broker, guests));
      await guests.leave();
    }
    assert.ok(outcomes[0]!.length > 2);
    assert.deepEqual(outcomes[1], outcomes[0]);
  });
}

beside(
  "home: users with passwords, sessions that wait, retained states",
  [],
  ["1883"],
  async (site, broker, guests) => {
    await site.setPassword("hub", "one");
    await site.setPassword("lamp", "two");
    const port = site.port("1883");
    await site.run(broker, site.place(join(EXAMPLES, "home/mosquitto.conf"), "mosquitto.conf"), port);
    const url = `mqtt://127.0.0.1:${port}`;
    const outcome = [
      await guests.attempt(url),
      await guests.attempt(url, { username: "hub", password: "two" }),
      await guests.attempt(url, { username: "nobody", password: "one" }),
      await guests.attempt(url, { username: "hub", password: "one", version: 5 }),
    ];
    const phone: MqttClientOptions = { clientId: "phone", cleanStart: false, username: "hub", password: "one" };
    const before = await connect(url, phone);
    await before.subscribe("home/#", { qos: 1 }).granted;
    await before.disconnect();
    const lamp = await guests.enter(url, { username: "lamp", password: "two" });
    for (let at = 0; at < 5; at++) await lamp.publish("home/lamp", `${at}`, at === 4);
    const hub = await guests.enter(url, { username: "hub", password: "one" });
    outcome.push(await hub.subscribe("home/+", 2));
    await hub.hears("4");
    const waiting: string[] = [];
    const after = await connect(url, { ...phone });
    after.on("message", ({ text }) => void waiting.push(text));
    await after.unsubscribe("home/#");
    await after.disconnect();
    return [...outcome, ...hub.heard, waiting.join()];
  },
);

beside(
  "factory: certificates, one of them revoked, and rules by their names",
  ["openssl"],
  ["8883"],
  async (site, broker, guests) => {
    site.certify();
    const port = site.port("8883");
    site.place(join(EXAMPLES, "factory/acl"), "acl");
    await site.run(broker, site.place(join(EXAMPLES, "factory/mosquitto.conf"), "mosquitto.conf"), port);
    const url = `mqtts://127.0.0.1:${port}`;
    const outcome = [
      await guests.attempt(url, site.tls()),
      await guests.attempt(url, site.tls("press-1")),
      await guests.attempt(url, site.tls("press-2")),
      await guests.attempt(url, site.tls("stranger-1")),
      await guests.attempt(`mqtt://127.0.0.1:${port}`),
      await guests.attempt(url, { ...site.tls("press-1"), keepAliveSeconds: 600, version: 5 }),
    ];
    const room = await guests.enter(url, site.tls("control-room"));
    const press = await guests.enter(url, { ...site.tls("press-1"), username: "control-room", password: "x" });
    outcome.push(await room.subscribe("factory/#"), await press.subscribe("#"));
    for (const topic of ["factory/press-1/heat", "factory/press-2/heat", "elsewhere"]) await press.publish(topic, "80");
    for (const topic of ["factory/press-2/command", "factory/press-1/command", "factory/press-1/heat"])
      await room.publish(topic, "stop");
    await press.publish("factory/press-1/last", "last");
    await Promise.all([room.hears("last"), press.hears("stop")]);
    return [...outcome, "control room:", ...room.heard, "press:", ...press.heard];
  },
);

beside(
  "public WSS: reading without a name, writing with a password, backends beside",
  ["openssl"],
  ["8443", "1883"],
  async (site, broker, guests) => {
    site.certify();
    await site.setPassword("editor", "one");
    await site.setPassword("backend", "two");
    site.place(join(EXAMPLES, "public-wss/acl"), "acl");
    await site.run(
      broker,
      site.place(join(EXAMPLES, "public-wss/mosquitto.conf"), "mosquitto.conf"),
      site.port("1883"),
    );
    const url = `wss://127.0.0.1:${site.port("8443")}/`;
    const plain = `mqtt://127.0.0.1:${site.port("1883")}`;
    const outcome = [
      await guests.attempt(url, site.tls()),
      await guests.attempt(url, { ...site.tls(), username: "editor", password: "wrong" }),
      await guests.attempt(plain, { username: "backend", password: "two" }),
      await guests.attempt(url, { ...site.tls(), keepAliveSeconds: 0, version: 5 }),
    ];
    const page = await guests.enter(url, site.tls());
    const editor = await guests.enter(url, { ...site.tls(), username: "editor", password: "one" });
    const backend = await guests.enter(plain, { username: "backend", password: "two" });
    outcome.push(await page.subscribe("#"), await backend.subscribe("#", 2));
    await page.publish("public/defaced", "1");
    await editor.publish("private", "2");
    await editor.publish("public/news", "3", true);
    await backend.publish("private", "4");
    await backend.publish("public/last", "last");
    await Promise.all([page.hears("last"), backend.hears("last")]);
    const late = await guests.enter(url, site.tls());
    outcome.push(await late.subscribe("public/news", 2));
    await late.hears("3");
    return [...outcome, "page:", ...page.heard, "backend:", ...backend.heard, "late:", ...late.heard];
  },
);

beside(
  "edge: what the site has goes up, commands come down, also after the line was down",
  ["openssl"],
  ["1883", "8883"],
  async (site, broker, guests) => {
    site.certify();
    for (const [name, password] of [
      ["site-1", "change-me"],
      ["control-room", "one"],
      ["meter", "two"],
    ] as const)
      await site.setPassword(name, password);
    site.place(join(EXAMPLES, "edge-bridge/acl"), "acl");
    const [edgePort, centrePort] = [site.port("1883"), site.port("8883")];
    await site.run(broker, site.place(join(EXAMPLES, "edge-bridge/mosquitto.conf"), "mosquitto.conf"), edgePort);
    const edge = `mqtt://127.0.0.1:${edgePort}`;
    const meter = await guests.enter(edge, { username: "meter", password: "two" });
    await meter.subscribe("commands/#");
    // The centre is not there yet.
    await meter.publish("readings/early", "1");
    await site.run(broker, site.place(join(EXAMPLES, "edge-bridge/central.conf"), "central.conf"), centrePort);
    const room = await guests.enter(`mqtts://127.0.0.1:${centrePort}`, {
      ...site.tls(),
      username: "control-room",
      password: "one",
    });
    await room.subscribe("sites/#");
    await Promise.all([room.hears("sites/site-1/state=1"), room.hears("early=1")]);
    await meter.publish("readings/heat", "20");
    await meter.publish("secret", "21");
    await meter.publish("readings/last", "22");
    // Then the bridge's SUBSCRIBE has been read too, which it sends before.
    await room.hears("last=22");
    await room.publish("sites/site-2/commands/stop", "now");
    await room.publish("sites/site-1/commands/stop", "now");
    await meter.hears("stop=now");
    // Retained or not, the state comes before or after what has waited; and what has waited at QoS 1 comes at least once.
    const heard = [...new Set(room.heard.map((each) => each.replace(" (retained)", "")))].sort();
    return ["control room:", ...heard, "meter:", ...meter.heard];
  },
);

beside(
  "dynamic security: mosquitto_ctrl makes roles and users while the broker runs",
  ["mosquitto_ctrl"],
  ["1883"],
  async (site, broker, guests) => {
    const port = site.port("1883");
    const control = async (...args: readonly string[]): Promise<string> => {
      const { code, out } = await startPeer("mosquitto_ctrl", args).end();
      return `${code} ${out.trim()}`;
    };
    const made = await control("dynsec", "init", site.path("var/dynamic-security.json"), "admin", "root's");
    await site.run(broker, site.place(join(EXAMPLES, "dynamic-security/mosquitto.conf"), "mosquitto.conf"), port);
    const url = `mqtt://127.0.0.1:${port}`;
    const dynsec = (...args: readonly string[]): Promise<string> =>
      control("-h", "127.0.0.1", "-p", `${port}`, "-u", "admin", "-P", "root's", "dynsec", ...args);
    const outcome = [made.slice(0, 1), await guests.attempt(url)];
    for (const command of [
      ["createRole", "sensor"],
      ["addRoleACL", "sensor", "publishClientSend", "readings/#", "allow"],
      ["addRoleACL", "sensor", "subscribePattern", "commands/#", "allow"],
      ["addRoleACL", "sensor", "publishClientReceive", "commands/#", "allow"],
      ["createClient", "sensor-1", "-p", "one"],
      ["addClientRole", "sensor-1", "sensor"],
      ["listClients"],
    ])
      outcome.push(await dynsec(...command));
    const credentials = { username: "sensor-1", password: "one" };
    outcome.push(await guests.attempt(url, { ...credentials, password: "two" }));
    const sensor = await guests.enter(url, { ...credentials, version: 5 });
    outcome.push(await sensor.subscribe("commands/#"), await sensor.subscribe("readings/#"));
    for (const topic of ["readings/1", "elsewhere"])
      outcome.push(
        await sensor.publish(topic, "x").then(
          () => "taken",
          (error: { reasonCode: number }) => `${error.reasonCode}`,
        ),
      );
    outcome.push(await dynsec("disableClient", "sensor-1"), await guests.attempt(url, credentials));
    return outcome;
  },
);

beside("Debian's packaged mosquitto.conf", [], ["1883"], async (site, broker, guests) => {
  const port = site.port("1883");
  const file = site.place("/etc/mosquitto/mosquitto.conf", "mosquitto.conf");
  await site.run(broker, file, port, ["-p", `${port}`]);
  const url = `mqtt://127.0.0.1:${port}`;
  const outcome = [
    await guests.attempt(url),
    await guests.attempt(url, { username: "ann", password: "x", version: 5 }),
  ];
  const one = await guests.enter(url);
  outcome.push(await one.subscribe("a/#", 2));
  await one.publish("a/b", "1", true);
  await one.hears("1");
  const two = await guests.enter(url);
  outcome.push(await two.subscribe("a/b"));
  await two.hears("1");
  outcome.push(String(existsSync(site.path("run/mosquitto.pid"))), String(existsSync(site.path("log/mosquitto.log"))));
  return [...outcome, ...one.heard, ...two.heard];
});
