/** How a client tells what happens: the callbacks of libmosquitto and typed events, side by side. */
import { type ClientEvents, type ConnectInfo, type DisconnectInfo, LOG_LEVEL, type LogLevel } from "./client-events.ts";
import { call, Emitter, type ListenOptions } from "./emitter.ts";
import type { ClientError } from "./errors.ts";
import { checkEventName, checkNames } from "./known-names.ts";
import { PacketLog } from "./packet-log.ts";
import type { Publication } from "./publication.ts";
import type { ReceivedMessage } from "./received-message.ts";
import type { Subscribed, Unsubscribed } from "./subscription.ts";

/** Callbacks and events of a client. */
export abstract class EventfulClient {
  /** Called when the server has let us in (0) or refused to (its code). */
  onConnect: ((rc: number, info: ConnectInfo) => void) | null = null;
  /** Called when a connection or an attempt to make one is over: 0 when we ended it, otherwise MOSQ_ERR_* or the server's code. */
  onDisconnect: ((rc: number, info: DisconnectInfo) => void) | null = null;
  /** Called when a message has left (QoS 0) or arrived (QoS 1, 2). */
  onPublish: ((mid: number, reasonCode: number) => void) | null = null;
  /** Called with the QoS granted for each Topic Filter, 0x80 and above for those refused. */
  onSubscribe: ((mid: number, grantedQos: readonly number[]) => void) | null = null;
  onUnsubscribe: ((mid: number) => void) | null = null;
  /** Called with libmosquitto's lines for each packet, and with ours for what deserves attention. */
  onLog: ((level: LogLevel, text: string) => void) | null = null;
  #onMessage: ((message: ReceivedMessage) => void) | null = null;
  readonly #emitter: Emitter<ClientEvents> = new Emitter();
  #packetLog: PacketLog | null = null;

  /** Adds a listener; the function that is returned removes it. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (...args: ClientEvents[Name]) => void,
    options?: ListenOptions,
  ): () => void {
    checkEventName(name);
    checkNames("listener", options);
    const off = this.#emitter.on(name, listener, options);
    if (name === "message") this.#handOutUnclaimed();
    return off;
  }

  /** Called with every message, whatever is subscribed to. */
  get onMessage(): ((message: ReceivedMessage) => void) | null {
    return this.#onMessage;
  }
  set onMessage(onMessage: ((message: ReceivedMessage) => void) | null) {
    this.#onMessage = onMessage;
    if (onMessage !== null) this.#handOutUnclaimed();
  }

  /** Takes messages that came before anybody wanted them. */
  protected abstract takeUnclaimed(): readonly ReceivedMessage[];

  #handOutUnclaimed(): void {
    for (const message of this.takeUnclaimed()) this.tellMessage(message);
  }

  /** Whether somebody gets every message, whatever is subscribed to. */
  protected get hasMessageListener(): boolean {
    return this.#onMessage !== null || this.#emitter.has("message");
  }

  /** Writes a line for each packet, when somebody wants to read it. */
  protected packetLog(clientId: string): PacketLog | null {
    if (this.onLog === null && !this.#emitter.has("log")) return null;
    this.#packetLog ??= new PacketLog(clientId, (text) => this.log(LOG_LEVEL.debug, text));
    return this.#packetLog;
  }

  protected log(level: LogLevel, text: string): void {
    if (this.onLog !== null) call(this.onLog, level, text);
    this.#emitter.emit("log", level, text);
  }

  protected tellConnected(info: ConnectInfo): void {
    if (this.onConnect !== null) call(this.onConnect, 0, info);
    this.#emitter.emit("connect", info);
  }

  /** As libmosquitto, a refusal is told where a connection would be; `tellDisconnected` follows. */
  protected tellRefused(info: ConnectInfo): void {
    if (this.onConnect !== null) call(this.onConnect, info.reasonCode, info);
  }

  protected tellDisconnected(info: DisconnectInfo): void {
    if (this.onDisconnect !== null) call(this.onDisconnect, info.error?.rc ?? 0, info);
    this.#emitter.emit("disconnect", info);
  }

  protected tellMessage(message: ReceivedMessage): void {
    if (this.#onMessage !== null) call(this.#onMessage, message);
    this.#emitter.emit("message", message);
  }

  protected tellPublished(mid: number, reasonCode: number): void {
    if (this.onPublish !== null) call(this.onPublish, mid, reasonCode);
    this.#emitter.emit("publish", mid, reasonCode);
  }

  protected tellUndelivered(publication: Publication, error: ClientError): void {
    this.#emitter.emit("undelivered", publication, error);
  }

  protected tellSubscribed(subscribed: Subscribed): void {
    if (this.onSubscribe !== null) call(this.onSubscribe, subscribed.mid, subscribed.reasonCodes);
    this.#emitter.emit("subscribe", subscribed);
  }

  protected tellUnsubscribed(unsubscribed: Unsubscribed): void {
    if (this.onUnsubscribe !== null) call(this.onUnsubscribe, unsubscribed.mid);
    this.#emitter.emit("unsubscribe", unsubscribed);
  }

  protected tellClosed(error: ClientError | null): void {
    this.#emitter.emit("close", error);
  }
}
