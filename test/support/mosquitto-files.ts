// Real persistence files: a real mosquitto is brought into a known state, which it then saves to its mosquitto.db.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Properties } from "../../src/protocol/index.ts";
import { startPeer } from "./peers.ts";
import type { Program } from "./program.ts";
import { WireClient } from "./wire-client.ts";

/** A mosquitto that persists into `folder` and listens on a socket file there. */
export class PersistentMosquitto {
  readonly #program: Program;
  readonly #folder: string;

  private constructor(folder: string, program: Program) {
    this.#folder = folder;
    this.#program = program;
  }

  static async start(folder: string, settings: readonly string[] = []): Promise<PersistentMosquitto> {
    const lines = [
      `listener 0 ${join(folder, "socket")}`,
      "user root",
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${folder}/`,
      "autosave_interval 0",
      "sys_interval 0",
      ...settings,
    ];
    writeFileSync(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
    const program = startPeer("mosquitto", ["-v", "-c", join(folder, "mosquitto.conf")]);
    await program.printed(/mosquitto version \S+ running/);
    return new PersistentMosquitto(folder, program);
  }

  connect(clientId: string, options?: Parameters<typeof WireClient.connect>[2]): Promise<WireClient> {
    return WireClient.connect({ path: join(this.#folder, "socket") }, clientId, options);
  }

  /** Lets it save everything and go on, and returns the file. */
  async save(): Promise<Uint8Array> {
    this.#program.signal("SIGUSR1");
    await this.#program.printed(/Saving in-memory database/);
    // It reads the signal between two rounds of its loop, and has saved before the next.
    const client = await this.connect("after the save");
    await client.disconnect();
    return readFileSync(join(this.#folder, "mosquitto.db"));
  }

  /** Lets it end, which saves everything, and returns the file. */
  async stop(): Promise<Uint8Array> {
    await this.#program.stop("SIGTERM");
    return readFileSync(join(this.#folder, "mosquitto.db"));
  }
}

/**
 * Every kind of thing that a mosquitto.db holds. All durable clients have a user name: without one, mosquitto 2.0.11 writes a piece
 * of its memory into the file.
 */
export async function fillMosquitto(mosquitto: PersistentMosquitto): Promise<void> {
  const old = await mosquitto.connect("old", { version: 4, cleanStart: false, username: "joe" });
  await old.subscribe("a/#", { qos: 1 });
  await old.subscribe("/lead/+", { qos: 2 });
  await old.disconnect();
  const five = await mosquitto.connect("five", {
    cleanStart: false,
    username: "five's user",
    properties: { sessionExpirySeconds: 3600, receiveMaximum: 3 },
  });
  await five.subscribe("a/+", { qos: 2, id: 7, noLocal: true });
  await five.subscribe("b", { qos: 1, id: 268_435_455, retainAsPublished: true });
  const never = await mosquitto.connect("größe/日本", {
    cleanStart: false,
    username: "größe",
    properties: { sessionExpirySeconds: 4_294_967_295 },
  });
  await never.subscribe("a/b", { qos: 2 });
  await never.disconnect();
  const ended = await mosquitto.connect("ended", { cleanStart: false, username: "joe" });
  await ended.subscribe("a/#");
  const clean = await mosquitto.connect("clean");
  await clean.subscribe("clean", { qos: 1 });

  const pub = await mosquitto.connect("pub", {
    cleanStart: false,
    username: "pub's user",
    properties: { sessionExpirySeconds: 100 },
  });
  await pub.publish("a/b", "one", { qos: 1, properties: { ...ALL_PROPERTIES, messageExpirySeconds: 86_400 } });
  await pub.release(await pub.publish("a/b", "two", { qos: 2, retain: true }));
  await pub.release(await pub.publish("a/c", "three", { qos: 2 }));
  await pub.publish("a/b", "zero");
  await pub.publish("b", new Uint8Array([0, 255, 10]), { qos: 1, retain: true });
  await pub.publish("/lead/x", "", { qos: 1 });
  await pub.publish("clean", "of nobody's session", { qos: 1 });
  await pub.publish("retained/☂", "kept", { retain: true, properties: { contentType: "text/plain" } });

  // five: one waits for its PUBACK, one for its PUBREC, one for its PUBCOMP, and the rest for room in the window.
  await five.expect("PUBLISH");
  const two = await five.expect("PUBLISH");
  five.acknowledge("PUBREC", two.packetId);
  await five.expect("PUBREL");
  await five.expect("PUBLISH");

  // Held by mosquitto, as their PUBREL does not come.
  await pub.publish("a/b", "held", { qos: 2, retain: true, properties: { userProperties: [["k", "v"]] } });
  await five.publish("a/own", "own", { qos: 2, packetId: 40_000 });
  await five.settled();
  await pub.disconnect();
}

/** What the payload "one" is published with, besides an expiry. */
export const ALL_PROPERTIES = {
  payloadFormatIndicator: 1,
  contentType: "text/plain",
  responseTopic: "answers/é",
  correlationData: new Uint8Array([1, 0, 255]),
  userProperties: [
    ["k", "1"],
    ["k", "2"],
  ],
} satisfies Properties;
