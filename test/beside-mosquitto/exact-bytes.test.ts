// What mosquitto 2.1 sends, byte for byte, where Debian's 2.0 cannot be asked: by the families of behaviour that its own tests of
// the broker look at. The broker is started as they do: `-v -p PORT`, or `-v -c FILE -p PORT`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bytesOfHex, hexOf } from "../support/hex.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { bytesOf } from "../support/test-client.ts";
import { startConfigured } from "./broker-pair.ts";

const LIMIT_MS = 10_000;

/** One connection that sends bytes and awaits bytes, all in hexadecimal. */
class Wire {
  readonly #socket: Socket;
  #received = "";
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.#received += hexOf(bytes);
      this.#wake();
    });
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
    socket.on("error", () => {});
  }

  static async open(port: number): Promise<Wire> {
    const socket = createConnection({ host: "127.0.0.1", port }).setNoDelay();
    await once(socket, "connect");
    return new Wire(socket);
  }

  send(hex: string): void {
    this.#socket.write(bytesOfHex(hex));
  }

  async #until(isDone: () => boolean): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(), LIMIT_MS);
    while (!isDone() && !this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
    clearTimeout(timer);
  }

  /** Takes as many bytes as `hex` has, which must be these. */
  async expect(hex: string): Promise<void> {
    const expected = hex.replaceAll(" ", "");
    await this.#until(() => this.#received.length >= expected.length);
    assert.equal(this.#received.slice(0, expected.length), expected);
    this.#received = this.#received.slice(expected.length);
  }

  async exchange(sent: string, expected: string): Promise<void> {
    this.send(sent);
    await this.expect(expected);
  }

  /** Nothing more has come, and nothing more will before the answer to a PINGREQ. */
  async quiet(): Promise<void> {
    await this.exchange("c000", "d000");
  }

  /** The connection ends, without another byte. */
  async closed(): Promise<void> {
    await this.#until(() => false);
    assert.equal(this.#received, "");
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** With its length in front. */
function text(value: string): string {
  const bytes = bytesOf(value);
  return bytes.length.toString(16).padStart(4, "0") + hexOf(bytes);
}

function framed(firstByte: string, body: string): string {
  const bytes = body.replaceAll(" ", "");
  let left = bytes.length / 2;
  let length = "";
  do {
    const digit = left % 128;
    left = Math.floor(left / 128);
    length += (digit + (left > 0 ? 128 : 0)).toString(16).padStart(2, "0");
  } while (left > 0);
  return firstByte + length + bytes;
}

interface ConnectParts {
  readonly clean?: boolean;
  readonly keepAlive?: string;
  /** Properties without their length. */
  readonly properties?: string;
  /** Will properties, topic and payload; only these three forms are needed. */
  readonly will?: string;
  readonly user?: string;
}

function connect(version: 4 | 5, clientId: string, parts: ConnectParts = {}): string {
  const { clean = true, keepAlive = "003c", properties = "210014", will, user } = parts;
  const flags = (clean ? 2 : 0) | (will === undefined ? 0 : 4) | (user === undefined ? 0 : 0xc0);
  const said = version === 5 ? (properties.length / 2).toString(16).padStart(2, "0") + properties : "";
  const body = `${text("MQTT")}0${version}${flags.toString(16).padStart(2, "0")}${keepAlive}${said}${text(clientId)}`;
  return framed("10", `${body}${will ?? ""}${user ?? ""}`);
}

const WELCOME = "20 0e 00 00 0b 22000a 27001e8480 210014";
const PRESENT = "20 0e 01 00 0b 22000a 27001e8480 210014";
const OLD_WELCOME = "20020000";

async function client(port: number, version: 4 | 5, id: string, parts?: ConnectParts): Promise<Wire> {
  const wire = await Wire.open(port);
  await wire.exchange(connect(version, id, parts), version === 5 ? WELCOME : OLD_WELCOME);
  return wire;
}

type Play = (port: number) => Promise<void>;

/** Played at one broker without a configuration file. */
const PLAIN: Readonly<Record<string, Play>> = {
  "connect: CONNACK of each version": async (port) => {
    for (const version of [4, 5] as const) (await client(port, version, `plain ${version}`)).end();
  },
  "connect: a session that is there, and one that is over": async (port) => {
    const parts = { clean: false, properties: "110000003c" };
    (await client(port, 5, "there", parts)).end();
    const again = await Wire.open(port);
    await again.exchange(connect(5, "there", parts), PRESENT);
    again.send("e007 00 05 1100000000");
    await again.closed();
    (await client(port, 5, "there", parts)).end();
  },
  "connect: takeover": async (port) => {
    const first = await client(port, 5, "taken");
    const second = await client(port, 5, "taken");
    await first.expect("e0018e");
    await first.closed();
    await second.quiet();
  },
  "connect: an authentication method that nobody offers": async (port) => {
    const wire = await Wire.open(port);
    await wire.exchange(connect(5, "method", { properties: `15${text("basic")}` }), "2003008c00");
    await wire.closed();
  },
  "connect: a made-up identifier comes after the topic alias maximum": async (port) => {
    const wire = await Wire.open(port);
    await wire.exchange(connect(5, ""), `20 3a 00 00 37 22000a 12 0029 ${hexOf(bytesOf("auto-"))}`);
  },
  "subscribe: codes of SUBACK and UNSUBACK": async (port) => {
    const wire = await client(port, 5, "codes");
    await wire.exchange(framed("82", `0001 00 ${text("$SYS/broker/missing")}00`), "9004 0001 00 00");
    await wire.exchange(framed("82", `0002 00 ${text("$share/share/#")}00`), "9004 0002 00 00");
    await wire.exchange(framed("a2", `0003 00 ${text("unknown")}`), "b004 0003 00 11");
    wire.end();
  },
  "subscribe: no local on a shared subscription": async (port) => {
    const wire = await client(port, 5, "shared no local");
    await wire.exchange(framed("82", `0001 00 ${text("$share/g/a")}05`), "e00182");
    await wire.closed();
  },
  "subscribe: a filter of 65,535 levels": async (port) => {
    const filter = text("/".repeat(65_535));
    const newer = await client(port, 5, "deep");
    await newer.exchange(framed("82", `0001 00 ${filter}00`), "e00181");
    const older = await client(port, 4, "deep before");
    older.send(framed("82", `0001 ${filter}00`));
    await older.closed();
  },
  "subscribe: a subscription identifier comes back": async (port) => {
    const wire = await client(port, 5, "identified");
    await wire.exchange(framed("82", `0001 02 0b01 ${text("id")}00`), "9004 0001 00 00");
    await wire.exchange(framed("30", `${text("id")}00 78`), framed("30", `${text("id")}02 0b01 78`));
  },
  "publish: what the broker adds comes after the publisher's properties: expiry, topic alias, subscription identifier":
    async (port) => {
      const wire = await client(port, 5, "order", { properties: "22ffff" });
      await wire.exchange(framed("82", `0001 02 0b07 ${text("order/#")}00`), "9004 0001 00 00");
      const [format, type, user] = ["0101", `03${text("a/b")}`, `26${text("n")}${text("v")}`];
      const sent = framed("30", `${text("order/1")} 14 02 0000003c ${format} ${type} ${user} 78`);
      const added = "02 0000003c 23 0001 0b 07";
      await wire.exchange(sent, framed("30", `${text("order/1")} 19 ${format} ${type} ${user} ${added} 78`));
    },
  "subscribe: topic aliases from the first message on": async (port) => {
    const wire = await client(port, 5, "aliases", { properties: "22ffff" });
    await wire.exchange(framed("82", `0001 00 ${text("alias/#")}00`), "9004 0001 00 00");
    const sent = framed("30", `${text("alias/1")}00 78`);
    await wire.exchange(sent, framed("30", `${text("alias/1")}03 230001 78`));
    await wire.exchange(sent, framed("30", "0000 03 230001 78"));
  },
  "publish: nobody subscribes": async (port) => {
    const wire = await client(port, 5, "nobody");
    await wire.exchange(framed("32", `${text("nobody")}0138 00 78`), "4003 0138 10");
    await wire.exchange(framed("34", `${text("nobody")}0139 00 78`), "5002 0139");
    await wire.exchange("6202 0139", "7002 0139");
  },
  "publish: topics that belong to the broker": async (port) => {
    const wire = await client(port, 5, "dollar");
    await wire.exchange(framed("32", `${text("$SYS/broker/uptime")}0001 00 78`), "4003 0001 87");
    await wire.exchange(framed("32", `${text("$SYS/broker/connection/me")}0002 00 78`), "4003 0002 87");
    await wire.exchange(framed("32", `${text("$SYS/broker/connection/me/state")}0003 00 78`), "4003 0003 10");
    await wire.exchange(framed("32", `${text("$share/share/a")}0004 00 78`), "4003 0004 87");
    await wire.exchange(framed("34", `${text("$SYS/broker/uptime")}0005 00 78`), "5003 0005 87");
  },
  "publish: more at QoS 2 than the receive maximum": async (port) => {
    const wire = await client(port, 5, "too many");
    for (let id = 1; id <= 20; id++) {
      const packetId = id.toString(16).padStart(4, "0");
      await wire.exchange(framed("34", `${text("many")}${packetId} 00 78`), `5002 ${packetId}`);
    }
    await wire.exchange(framed("34", `${text("many")}0015 00 78`), "e00193");
    await wire.closed();
  },
  "publish: a topic that is not well-formed": async (port) => {
    for (const topic of ["+opic", "#opic"]) {
      const wire = await client(port, 5, `bad ${topic}`);
      await wire.exchange(framed("30", `${text(topic)}00 78`), "e00181");
      await wire.closed();
    }
  },
  "publish: a refused PUBREC makes room": async (port) => {
    const wire = await client(port, 5, "refusing", { properties: "210001" });
    await wire.exchange(framed("82", `0001 00 ${text("refused")}02`), "9004 0001 00 02");
    const helper = await client(port, 4, "refusing helper");
    for (const id of ["0001", "0002"]) {
      await helper.exchange(framed("34", `${text("refused")}${id} 78`), `5002 ${id}`);
      await helper.exchange(`6202 ${id}`, `7002 ${id}`);
    }
    await wire.expect(framed("34", `${text("refused")}0001 00 78`));
    await wire.exchange("5003 0001 80", framed("34", `${text("refused")}0002 00 78`));
  },
  "publish: a packet that the client does not take leaves a gap in the identifiers": async (port) => {
    const wire = await client(port, 5, "small", { properties: "2700000028" });
    await wire.exchange(framed("82", `0001 00 ${text("small")}01`), "9004 0001 00 01");
    await wire.exchange(framed("32", `${text("small")}0001 00 ${"78".repeat(40)}`), "4002 0001");
    await wire.quiet();
    wire.send(framed("32", `${text("small")}0002 00 78`));
    const [ack, publish] = ["40020002", framed("32", `${text("small")}0002 00 78`)];
    await wire.expect(publish + ack);
  },
  "will: below $CONTROL": async (port) => {
    for (const version of [4, 5] as const) {
      const wire = await Wire.open(port);
      const properties = version === 5 ? "00" : "";
      const will = `${properties}${text("$CONTROL/dynamic-security/v1")}${text("x")}`;
      wire.send(connect(version, `will ${version}`, { will }));
      await wire.closed();
    }
  },
  "will: its properties are passed on": async (port) => {
    const heir = await client(port, 5, "heir");
    await heir.exchange(framed("82", `0001 00 ${text("will")}00`), "9004 0001 00 00");
    const response = `08${text("response/topic")}`;
    const will = `${(response.length / 2 + 5).toString(16).padStart(2, "0")}${response}1800000000${text("will")}${text("x")}`;
    (await client(port, 5, "dying", { will })).end();
    await heir.expect(
      framed("30", `${text("will")}${(response.length / 2).toString(16).padStart(2, "0")}${response}78`),
    );
  },
  "retained: replaced and cleared by an empty one": async (port) => {
    const wire = await client(port, 4, "retaining");
    for (const payload of ["78", "79"]) wire.send(framed("31", `${text("kept")}${payload}`));
    await wire.exchange(framed("82", `0001 ${text("kept")}00`), `9003 0001 00 ${framed("31", `${text("kept")}79`)}`);
    await wire.exchange(framed("31", text("kept")), framed("30", text("kept")));
    await wire.exchange(framed("82", `0002 ${text("kept")}00`), "9003 0002 00");
    await wire.quiet();
  },
};

test("as mosquitto 2.1, without a configuration file", async (context) => {
  const folder = temporaryFolder(context);
  const [port = 0] = await freePorts(1);
  const program = new Program(process.execPath, [MAIN, "-v", "-p", String(port)], { cwd: folder });
  context.after(() => program.stop());
  await program.printed(/running: /);
  for (const [name, play] of Object.entries(PLAIN)) await context.test(name, () => play(port));
});

/** A line or several of a configuration, and what is then sent. */
const CONFIGURED: Readonly<Record<string, { readonly lines: readonly string[]; readonly play: Play }>> = {
  "no retained messages and QoS 1": {
    lines: ["maximum_qos 1", "retain_available false"],
    play: async (port) => {
      for (const [sent, code] of [
        [framed("34", `${text("a")}0001 00`), "9b"],
        [framed("31", `${text("a")}00 61`), "9a"],
      ]) {
        const wire = await Wire.open(port);
        await wire.exchange(connect(5, "flags"), "20 12 00 00 0f 22000a 2500 27001e8480 210014 2401");
        await wire.exchange(sent ?? "", `e001${code}`);
        await wire.closed();
      }
    },
  },
  "a largest packet": {
    lines: ["max_packet_size 50"],
    play: async (port) => {
      const wire = await Wire.open(port);
      await wire.exchange(connect(5, "large"), "20 0e 00 00 0b 22000a 2700000032 210014");
      await wire.exchange(framed("30", `${text("a")}00 ${"78".repeat(60)}`), "e00195");
    },
  },
  "a longest keep-alive": {
    lines: ["max_keepalive 60"],
    play: async (port) => {
      const wire = await Wire.open(port);
      await wire.exchange(connect(5, "long", { keepAlive: "003d" }), "20 11 00 00 0e 13003c 22000a 27001e8480 210014");
      const older = await Wire.open(port);
      await older.exchange(connect(4, "long before", { keepAlive: "003d" }), "20020002");
    },
  },
  "one message in flight": {
    lines: ["max_inflight_messages 1"],
    play: async (port) => {
      const wire = await Wire.open(port);
      await wire.exchange(connect(5, "one"), "20 0e 00 00 0b 22000a 27001e8480 210001");
    },
  },
  "no empty identifiers": {
    lines: ["allow_zero_length_clientid false"],
    play: async (port) => {
      await (await Wire.open(port)).exchange(connect(5, ""), "2003008000");
      await (await Wire.open(port)).exchange(connect(4, ""), "20020002");
    },
  },
  "as many clients as there may be": {
    lines: ["global_max_clients 1"],
    play: async (port) => {
      await client(port, 5, "first");
      await (await Wire.open(port)).exchange(connect(5, "second"), "2003008900");
    },
  },
  "one version": {
    lines: ["accept_protocol_versions 5"],
    play: async (port) => {
      await (await Wire.open(port)).exchange(connect(4, "older"), "20020001");
      await client(port, 5, "newer");
    },
  },
  "a payload that is too large for a will": {
    lines: ["message_size_limit 1"],
    play: async (port) => {
      await (await Wire.open(port)).exchange(connect(5, "w", { will: `00${text("w")}${text("xy")}` }), "2003009500");
      await (await Wire.open(port)).exchange(connect(4, "w", { will: text("w") + text("xy") }), "20020005");
    },
  },
  "a wrong password": {
    lines: ["allow_anonymous false", "password_file FOLDER/users"],
    play: async (port) => {
      const user = text("ann") + text("wrong");
      await (await Wire.open(port)).exchange(connect(5, "p", { user }), "2003008700");
      await (await Wire.open(port)).exchange(connect(4, "p", { user }), "20020005");
    },
  },
};

/** A broker as `-v -c FILE -p PORT`, whose file has the same port. */
async function started(context: TestContext, lines: readonly string[]): Promise<{ program: Program; port: number }> {
  const folder = temporaryFolder(context);
  const setting = { lines: ["listener @main", "allow_anonymous true", ...lines], files: { users: "" } };
  const start = (file: string): Program =>
    new Program(process.execPath, [MAIN, "-v", "-c", file, "-p", "1888"], { cwd: folder });
  const { program, ports } = await startConfigured(folder, setting, start, /running: /);
  return { program, port: ports.main ?? 0 };
}

for (const [name, { lines, play }] of Object.entries(CONFIGURED)) {
  test(`as mosquitto 2.1: ${name}`, async (context) => {
    const { program, port } = await started(context, lines);
    context.after(() => program.stop());
    await play(port);
  });
}

test("says goodbye with 0x8B on SIGTERM, and ends with status 0", async (context) => {
  const { program, port } = await started(context, []);
  const wire = await client(port, 5, "last");
  const ended = program.stop();
  await wire.expect("e0018b");
  await wire.closed();
  assert.equal((await ended).code, 0);
});

test("what is wrong ends it with status 3, 13 where mosquitto cannot load or open something, or 1 where it finds it when it listens", async (context) => {
  for (const [lines, status, line] of [
    ["max_qos 3\n", 3, "Error: 'max_qos' must be between 0 and 2 inclusive\\."],
    ["listener 1\ntls_version tlsv9\n", 1, 'Error: Unsupported tls_version "tlsv9"\\.'],
    ["listener 1\ntls_version tlsv9\nmax_qos 3\n", 3, "Error: 'max_qos' must be"],
    ["listener 1\nauth_plugin c/some.so\n", 13, 'Error: Unable to load plugin "c/some\\.so"'],
    ["listener 1\nplugin absent.mjs\n", 13, "Error: absent\\.mjs: cannot be loaded"],
    ["listener 1\npassword_file absent\n", 13, "Error: absent: cannot be read"],
  ] as const) {
    const folder = temporaryFolder(context, { "mosquitto.conf": lines });
    const { code, errors } = await new Program(process.execPath, [
      MAIN,
      "-v",
      "-c",
      join(folder, "mosquitto.conf"),
    ]).end();
    assert.equal(code, status, errors);
    assert.match(errors, new RegExp(line));
  }
});
