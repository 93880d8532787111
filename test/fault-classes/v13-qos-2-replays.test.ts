// V13: PUBLISH, PUBREL, PUBREC and PUBCOMP again, in every state that an exchange at QoS 2 can be in, with DUP and without, on the same
// connection, on another one and at a broker that was killed: all orders up to a length. Each message reaches each subscriber once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_PROPERTIES, type Version } from "../../src/protocol/index.ts";
import { DurableRig } from "../support/durable-rig.ts";
import type { TestClient } from "../support/test-client.ts";

/** All words of `length` letters. */
function* words<Letter extends string>(letters: readonly Letter[], length: number): Iterable<readonly Letter[]> {
  if (length === 0) yield [];
  else for (const rest of words(letters, length - 1)) for (const letter of letters) yield [...rest, letter];
}

/** What the publisher of message 1 may do: publish it, with DUP too, release it, come back, or find a broker that was killed. */
const PUBLISHER = ["PUBLISH", "PUBLISH dup", "PUBREL", "reconnect", "kill"] as const;

class Publishing {
  readonly #rig: DurableRig = new DurableRig();
  readonly #version: Version;
  #publisher: TestClient | null = null;
  /** The reference: whether the broker has taken the identifier and not been told to release it, and how often it has taken a message. */
  #isTaken = false;
  #count = 0;
  /** Whether this connection has sent it again already: once is enough. */
  #isRepeated = false;

  constructor(version: Version) {
    this.#version = version;
  }

  async begin(): Promise<void> {
    const subscriber = await this.#rig.durable("sub");
    await this.#rig.subscribe(subscriber, "t", 2);
    subscriber.drop();
    await this.#connect();
  }

  async #connect(): Promise<void> {
    this.#publisher = await this.#rig.durable("pub", { version: this.#version, acknowledges: false });
    this.#isRepeated = false;
  }

  async do(step: (typeof PUBLISHER)[number]): Promise<void> {
    const publisher = this.#publisher!;
    if (step === "reconnect") {
      publisher.drop();
      await this.#connect();
    } else if (step === "kill") {
      await this.#rig.restart();
      await this.#connect();
    } else if (step === "PUBREL") {
      publisher.send({ type: "PUBREL", packetId: 1, reasonCode: 0, properties: NO_PROPERTIES });
      await this.#rig.calm();
      assert.deepEqual(publisher.trace(), ["PUBCOMP m1"]);
      this.#isTaken = this.#isRepeated = false;
    } else await this.#publish(publisher, step === "PUBLISH dup");
  }

  async #publish(publisher: TestClient, dup: boolean): Promise<void> {
    const isOnce = !this.#isTaken;
    if (isOnce) this.#count++;
    this.#isTaken = true;
    publisher.publish("t", `${this.#count}`, { qos: 2, packetId: 1, dup });
    await this.#rig.calm();
    if (isOnce || !this.#isRepeated) {
      assert.deepEqual(publisher.trace(), ["PUBREC m1"]);
      this.#isRepeated = !isOnce;
      return;
    }
    assert.equal(publisher.isClosed, true);
    await this.#connect();
  }

  /** The subscriber comes back and has each message once, in order. */
  async end(): Promise<void> {
    const subscriber = this.#rig.connecting("sub");
    await this.#rig.calm();
    subscriber.expect("CONNACK");
    assert.deepEqual(
      subscriber.payloads(),
      Array.from({ length: this.#count }, (_, i) => `${i + 1}`),
    );
  }
}

for (const [version, length] of [
  [5, 3],
  [4, 3],
  [3, 2],
] as const) {
  test(`version ${version}: all ${PUBLISHER.length ** length} continuations of a PUBLISH by its publisher`, async () => {
    for (const word of words(PUBLISHER, length)) {
      const publishing = new Publishing(version);
      await publishing.begin();
      try {
        for (const step of ["PUBLISH", ...word] as const) await publishing.do(step);
        await publishing.end();
      } catch (error) {
        throw new Error(`PUBLISH, ${word.join(", ")}`, { cause: error });
      }
    }
  });
}

/** What the receiver of a message may do. */
const RECEIVER = ["PUBREC", "PUBCOMP", "reconnect", "kill"] as const;

class Receiving {
  readonly #rig: DurableRig = new DurableRig();
  readonly #version: Version;
  #receiver: TestClient | null = null;
  /** The reference: what the message waits for. */
  #waits: "PUBREC" | "PUBCOMP" | "nothing" = "PUBREC";
  /** Identifiers under which the receiver has kept the message without being told to release it. */
  readonly #kept: Set<number> = new Set();
  #packetId = 0;
  #messages = 0;
  #isOver = false;

  constructor(version: Version) {
    this.#version = version;
  }

  async begin(): Promise<void> {
    await this.#connect();
    await this.#rig.subscribe(this.#receiver!, "t", 2);
    const publisher = this.#rig.harness.connect("pub");
    publisher.publish("t", "message", { qos: 2 });
    await this.#rig.calm();
    publisher.drop();
    this.#take();
  }

  async #connect(): Promise<void> {
    this.#receiver = this.#rig.connecting("sub", { version: this.#version, acknowledges: false });
    await this.#rig.calm();
    this.#receiver.expect("CONNACK");
  }

  /** Receives as method A of the specification does [5.0 §4.3.3]: what is kept under its identifier is no new message. */
  #take(): void {
    for (const { packetId, dup } of this.#receiver!.publishes()) {
      assert.equal(this.#waits, "PUBREC", "a message that was received is never sent again [5.0 MQTT-4.3.3-6]");
      if (!this.#kept.has(packetId)) this.#messages++;
      else assert.ok(dup, "again is DUP [5.0 MQTT-3.3.1-1]");
      this.#kept.add(packetId);
      this.#packetId = packetId;
    }
  }

  async do(step: (typeof RECEIVER)[number]): Promise<void> {
    if (this.#isOver) return;
    if (step === "reconnect") this.#receiver!.drop();
    if (step === "kill") await this.#rig.restart();
    if (step === "reconnect" || step === "kill") {
      await this.#connect();
      if (this.#waits === "PUBCOMP") assert.deepEqual(this.#receiver!.trace(), [`PUBREL m${this.#packetId}`]);
      if (this.#waits === "nothing") assert.deepEqual(this.#receiver!.trace(), []);
      this.#take();
      return;
    }
    this.#receiver!.send({ type: step, packetId: this.#packetId, reasonCode: 0, properties: NO_PROPERTIES });
    await this.#rig.calm();
    this.#check(step, this.#receiver!.trace());
  }

  #check(step: "PUBREC" | "PUBCOMP", answers: readonly string[]): void {
    const release = `PUBREL m${this.#packetId}`;
    if (step === "PUBREC") {
      // What is not known any more is released again, so that the receiver comes to its end.
      assert.deepEqual(answers, [release]);
      if (this.#waits !== "nothing") this.#waits = "PUBCOMP";
    } else if (this.#waits === "PUBREC") {
      // It acknowledges what has not been released: a mistake, and the end of the connection.
      assert.equal(this.#receiver!.isClosed, true);
      this.#isOver = true;
    } else {
      assert.deepEqual(answers, []);
      this.#waits = "nothing";
    }
  }

  end(): void {
    assert.equal(this.#messages, 1);
  }
}

for (const [version, length] of [
  [5, 4],
  [4, 3],
  [3, 2],
] as const) {
  test(`version ${version}: all ${RECEIVER.length ** length} ways to receive a message`, async () => {
    for (const word of words(RECEIVER, length)) {
      const receiving = new Receiving(version);
      try {
        await receiving.begin();
        for (const step of word) await receiving.do(step);
        receiving.end();
      } catch (error) {
        throw new Error(word.join(", "), { cause: error });
      }
    }
  });
}
