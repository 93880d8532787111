/** A client of a world: it connects again and again, and what it remembers outlives its connections. */
import assert from "node:assert/strict";
import type { Acknowledgement, Packet, Version } from "../../src/protocol/index.ts";
import type { ConnectOptions, TestClient } from "../support/test-client.ts";
import type { World } from "./world.ts";

/** How it connects. */
export interface WorldClientOptions {
  readonly version: Version;
  /** Whether its Session outlives its connections; true. */
  readonly isDurable?: boolean;
  readonly connect?: ConnectOptions;
}

/** One client. */
export abstract class WorldClient {
  readonly clientId: string;
  protected readonly world: World;
  readonly isDurable: boolean;
  readonly #options: WorldClientOptions;
  #connection: TestClient | null = null;
  #isConnected = false;
  /** Whether it has ever got a CONNACK. */
  #hasSession = false;

  constructor(world: World, clientId: string, options: WorldClientOptions) {
    this.world = world;
    this.clientId = clientId;
    this.isDurable = options.isDurable ?? true;
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#connection === null;
  }

  /** Whether the CONNACK is there. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** How to connect this time. */
  protected connectOptions(): ConnectOptions {
    return this.#options.connect ?? {};
  }

  connect(): void {
    const { version } = this.#options;
    const connection = this.world.harness.open(version);
    this.#connection = connection;
    const expiry = version === 5 && this.isDurable ? { sessionExpirySeconds: 86_400 } : {};
    connection.connect(this.clientId, {
      cleanStart: !this.isDurable,
      acknowledges: false,
      properties: expiry,
      ...this.connectOptions(),
    });
  }

  /** The network goes, with what is on its way to us. */
  drop(): void {
    const connection = this.#connection;
    this.lost();
    connection?.drop();
  }

  /** Says goodbye; false when that could not be said because the broker does not read, so that the network ended it. */
  disconnect(): boolean {
    const connection = this.#connection;
    this.lost();
    if (connection === null) return false;
    connection.disconnect();
    connection.turn();
    connection.turn();
    const isSaid = !connection.isPaused;
    connection.drop();
    return isSaid;
  }

  /** The connection is gone. */
  lost(): void {
    this.#connection = null;
    this.#isConnected = false;
  }

  protected send(packet: Packet): void {
    this.#connection?.send(packet);
  }

  protected acknowledge(type: Acknowledgement["type"], packetId: number): void {
    this.#connection?.acknowledge(type, packetId);
  }

  /** Lets bytes pass in one direction and takes what has come. */
  turn(): boolean {
    const connection = this.#connection;
    if (connection === null) return false;
    const isBusy = connection.turn();
    for (let packet = connection.received.shift(); packet !== undefined; packet = connection.received.shift()) {
      if (packet.type === "CONNACK") this.#connack(packet.sessionPresent, packet.reasonCode);
      else this.take(packet);
    }
    assert.equal(connection.isClosed, false, `the broker has closed the connection of ${this.clientId}`);
    return isBusy;
  }

  #connack(isSessionPresent: boolean, reasonCode: number): void {
    assert.equal(reasonCode, 0);
    if (this.isDurable && this.#hasSession)
      assert.equal(isSessionPresent, true, `the Session of ${this.clientId} is lost`);
    this.#hasSession = true;
    this.#isConnected = true;
    this.connected(isSessionPresent);
  }

  protected abstract connected(isSessionPresent: boolean): void;

  protected abstract take(packet: Packet): void;
}
