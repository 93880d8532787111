/** A client that publishes and keeps what is not acknowledged, over connections and over deaths of the broker. */
import assert from "node:assert/strict";
import { type Acknowledgement, type Packet, publishOf, type Qos } from "../../src/protocol/index.ts";
import { bytesOf } from "../support/test-client.ts";
import type { SentMessage } from "./message-ledger.ts";
import { WorldClient } from "./world-client.ts";

interface Outstanding {
  readonly message: SentMessage;
  isReleased: boolean;
}

/** Messages that it leaves unacknowledged at once. */
const WINDOW = 8;
/** Few, so that they are used again soon. */
const PACKET_IDS = 10;

/** Publishes with a Session of its own. */
export class Publisher extends WorldClient {
  /** In the order of their first sending. */
  readonly #outstanding: Map<number, Outstanding> = new Map();
  #lastPacketId = 0;

  get isDone(): boolean {
    return this.#outstanding.size === 0;
  }

  get hasRoom(): boolean {
    return this.isConnected && this.#outstanding.size < WINDOW;
  }

  publish(topicName: string, qos: Qos, retain: boolean): void {
    const message = this.world.ledger.send(this.clientId, topicName, qos, retain, this.world.step);
    let packetId = 0;
    if (qos > 0) {
      do packetId = this.#lastPacketId = (this.#lastPacketId % PACKET_IDS) + 1;
      while (this.#outstanding.has(packetId));
      this.#outstanding.set(packetId, { message, isReleased: false });
    }
    this.#send(message, packetId, false);
  }

  #send({ topicName, payload, qos, retain }: SentMessage, packetId: number, dup: boolean): void {
    this.send(publishOf({ topicName, payload: bytesOf(payload), qos, retain, dup, packetId, properties: {} }));
  }

  protected override connected(isSessionPresent: boolean): void {
    for (const [packetId, { message, isReleased }] of this.#outstanding) {
      if (isReleased) this.acknowledge("PUBREL", packetId);
      else this.#send(message, packetId, isSessionPresent);
    }
  }

  protected override take(packet: Packet): void {
    if (packet.type === "PUBACK" || packet.type === "PUBREC") this.#acknowledged(packet);
    else if (packet.type === "PUBCOMP") this.#outstanding.delete(packet.packetId);
    else assert.fail(`${this.clientId} got ${packet.type}`);
  }

  #acknowledged({ type, packetId, reasonCode }: Acknowledgement): void {
    const outstanding = this.#outstanding.get(packetId);
    assert.ok(outstanding !== undefined, `${type} ${packetId} acknowledges nothing`);
    const { message } = outstanding;
    assert.equal(type, message.qos === 1 ? "PUBACK" : "PUBREC");
    this.#assertInTurn(type, message);
    message.acknowledgedAt = Math.min(message.acknowledgedAt, this.world.step);
    message.isRefused = reasonCode >= 0x80;
    if (type === "PUBACK" || message.isRefused) {
      this.#outstanding.delete(packetId);
    } else {
      outstanding.isReleased = true;
      this.acknowledge("PUBREL", packetId);
    }
  }

  /** Acknowledgements of one kind come in the order of their messages [5.0 MQTT-4.6.0-2] [5.0 MQTT-4.6.0-3]. */
  #assertInTurn(type: string, message: SentMessage): void {
    for (const { message: earlier, isReleased } of this.#outstanding.values()) {
      if (earlier === message) return;
      if (earlier.qos === message.qos && !isReleased) assert.fail(`${type} of ${message.payload} came too early`);
    }
  }
}
