/**
 * From a CONNECT to its CONNACK: what may be refused is refused, the Authenticator is asked, the Session is found or made. Also
 * the AUTH exchange, before and after the CONNACK [5.0 §4.12].
 */
import {
  type Auth,
  type Connect,
  type EndReason,
  NO_PROPERTIES,
  OutboundAliases,
  type Properties,
  ReasonCode,
  topicLevels,
} from "../protocol/index.ts";
import { UNKNOWN_PEER, type Verdict } from "./authenticator.ts";
import { BRIDGE_MARK } from "./bridge-marks.ts";
import type { Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import { isControlTopic } from "./control.ts";
import type { Deadline } from "./deadlines.ts";
import { usernameOf } from "./entrance.ts";
import { NEVER_EXPIRES_SECONDS } from "./options.ts";
import { Pause } from "./pause.ts";
import { isBridgeState, isReservedTopic } from "./router.ts";
import type { Session } from "./session.ts";
import { sourceOf } from "./source.ts";
import { PendingWill } from "./wills.ts";

type Accepted = Extract<Verdict, { kind: "accepted" }>;

/** What is asked with the next AUTH. */
type Next = (auth: Auth) => Verdict | Promise<Verdict>;

/** Why a CONNECT is refused. */
interface Refusal {
  readonly reason: EndReason;
  readonly why: string;
  /** Whether the connection is closed without a CONNACK. */
  readonly isSilent?: boolean;
}

/** The decision about one CONNECT. */
export class Connecting {
  readonly #connection: Connection;
  readonly #broker: Broker;
  #connect: Connect | null = null;
  #next: Next | null = null;
  #isAssigned = false;
  readonly #rateRefusal: string | null;
  /** The client identifier, once it is known. */
  clientId: string | null = null;

  /** @param rateRefusal why the CONNECT is refused whatever it says; null: it is not */
  constructor(connection: Connection, rateRefusal: string | null = null) {
    this.#connection = connection;
    this.#broker = connection.broker;
    this.#rateRefusal = rateRefusal;
  }

  /** Takes the CONNECT. */
  begin(connect: Connect): void {
    this.#broker.counters.connectsReceived++;
    const { will } = connect;
    // The chunk is not kept alive for as long as the decision takes.
    this.#connect = {
      ...connect,
      password: connect.password?.slice() ?? null,
      will: will === null ? null : { ...will, payload: will.payload.slice() },
    };
    this.#connection.connect = { ...connect, will: null, password: null, properties: NO_PROPERTIES };
    const { authenticator, entrance, link } = this.#connection;
    const { remoteAddress, localPort = 0, peer = UNKNOWN_PEER } = link;
    const username = usernameOf(entrance, connect, peer);
    const asked = entrance.usernameAsClientId ? username : connect.clientId;
    const refusal = this.#refusal(connect, asked);
    if (refusal !== null) {
      this.#refuse(refusal.reason, refusal.why, refusal.isSilent);
      return;
    }
    const clientId = asked === "" || asked === null ? this.#assignId() : asked;
    this.clientId = clientId;
    this.#ask(() => authenticator.authenticate({ connect: this.#connect!, clientId, remoteAddress, localPort, peer }));
  }

  #assignId(): string {
    const { host, sessions } = this.#broker;
    const { autoIdPrefix } = this.#connection.entrance;
    this.#isAssigned = true;
    let clientId: string;
    do clientId = autoIdPrefix + host.randomId();
    while (sessions.get(clientId) !== undefined);
    return clientId;
  }

  /** What speaks against the CONNECT itself, whoever sends it; `clientId` is the identifier that it asks for. */
  #refusal(connect: Connect, clientId: string | null): Refusal | null {
    if (this.#rateRefusal !== null) return { reason: "connection-rate-exceeded", why: this.#rateRefusal };
    const { versions } = this.#connection.entrance;
    const { version } = connect;
    if (!versions.includes(version)) {
      return {
        reason: "unsupported-protocol-version",
        why: `protocol level ${version} is switched off here; allowed: ${versions.join(", ")}`,
      };
    }
    return (
      this.#refusalOfAddress() ??
      this.#refusalOfId(connect, clientId) ??
      this.#refusalOfKeepAlive(connect) ??
      this.#refusalOfWill(connect)
    );
  }

  /** Whether too many log-ins from where it is have failed. */
  #refusalOfAddress(): Refusal | null {
    const { entrance, link } = this.#connection;
    const waitMs = this.#broker.admission.backOffMs(entrance, link.remoteAddress, this.#broker.turnMs);
    if (waitMs === 0) return null;
    const why = `log-ins from this address failed too often; it is listened to again in ${Math.ceil(waitMs / 1000)} s`;
    return { reason: "too-many-login-failures", why };
  }

  #refusalOfId({ version, cleanStart }: Connect, clientId: string | null): Refusal | null {
    const { sessions, options } = this.#broker;
    if (clientId === null)
      return { reason: "not-authorized", why: "the user name is the client identifier here, and there is none" };
    // 5.0 allows an empty identifier always, 3.1.1 only for a clean session [3.1.1 MQTT-3.1.3-8], 3.1 never.
    if (clientId === "" && version !== 5 && (version === 3 || !cleanStart)) {
      return {
        reason: "client-identifier-not-valid",
        why: "an empty client identifier needs a clean session, and MQTT 3.1.1 or 5.0",
      };
    }
    if (clientId === "" && !this.#connection.entrance.allowZeroLengthClientId) {
      // As mosquitto: the identifier is valid, but the broker makes up none.
      const reason = version === 5 ? "unspecified-error" : "client-identifier-not-valid";
      return { reason, why: "an empty client identifier is not allowed here" };
    }
    // One that is made up begins with its own prefix.
    if (!(clientId || this.#connection.entrance.autoIdPrefix).startsWith(options.clientIdPrefix))
      return { reason: "not-authorized", why: `client identifiers begin with "${options.clientIdPrefix}" here` };
    const { maximumClients } = options;
    if (maximumClients > 0 && sessions.count >= maximumClients && sessions.get(clientId) === undefined)
      return { reason: "server-busy", why: `${maximumClients} clients have a session, the most allowed` };
    return null;
  }

  #refusalOfKeepAlive({ version, keepAliveSeconds }: Connect): Refusal | null {
    const { maximumKeepAliveSeconds } = this.#broker.options;
    if (
      version !== 5 &&
      maximumKeepAliveSeconds > 0 &&
      (keepAliveSeconds === 0 || keepAliveSeconds > maximumKeepAliveSeconds)
    ) {
      return {
        reason: "client-identifier-not-valid",
        why: `keep-alive ${keepAliveSeconds}; 1 to ${maximumKeepAliveSeconds} seconds are allowed`,
      };
    }
    return null;
  }

  #refusalOfWill({ will, version }: Connect): Refusal | null {
    if (will === null) return null;
    const { maximumTopicLevels, retainAvailable, maximumPayloadBytes } = this.#broker.options;
    const { maximumQos, mountPoint } = this.#connection.entrance;
    const topicName = mountPoint + will.topicName;
    if (maximumPayloadBytes > 0 && will.payload.length > maximumPayloadBytes) {
      const why = `the will's payload has ${will.payload.length} bytes; at most ${maximumPayloadBytes} are allowed`;
      return { reason: version === 5 ? "packet-too-large" : "not-authorized", why };
    }
    if (topicLevels(topicName) > maximumTopicLevels)
      return { reason: "topic-name-invalid", why: `the will's topic has more than ${maximumTopicLevels} levels` };
    if (isReservedTopic(topicName))
      return { reason: "not-authorized", why: "the will's topic is below $SYS, which only the broker publishes to" };
    if (isControlTopic(topicName))
      // As mosquitto, silently.
      return {
        reason: "not-authorized",
        why: "the will's topic is below $CONTROL, where only requests go",
        isSilent: true,
      };
    if (will.qos > maximumQos)
      return { reason: "qos-not-supported", why: `the will has QoS ${will.qos}; at most ${maximumQos} is allowed` };
    if (will.retain && !retainAvailable)
      return { reason: "retain-not-supported", why: "the will is retained, but retained messages are switched off" };
    return null;
  }

  /** Takes an AUTH that the machine let through: the answer to a challenge, or a re-authentication. */
  continue(auth: Auth): void {
    const next = auth.reasonCode === ReasonCode.ReAuthenticate ? this.#connection.reauthenticate : this.#next;
    if (next === null) {
      this.#connection.fail(
        ReasonCode.ProtocolError,
        "AUTH: nobody has asked for it, and re-authentication is not offered [5.0 §4.12.1]",
      );
    } else {
      this.#ask(() => next(auth));
    }
  }

  #ask(question: () => Verdict | Promise<Verdict>): void {
    let answer: Verdict | Promise<Verdict>;
    try {
      answer = question();
    } catch (error) {
      answer = Promise.reject(error);
    }
    if (!("then" in answer)) {
      this.#decide(answer);
      return;
    }
    this.#connection.pauseReading(Pause.deciding);
    const { deadlines, options, clock } = this.#broker;
    const deadline = deadlines.add(clock.nowMs() + options.authenticatorTimeoutMs, () => {
      this.#failed(new Error(`no answer within ${options.authenticatorTimeoutMs} ms`));
    });
    answer.then(
      (verdict) => {
        if (!deadline.isCancelled) this.#resume(verdict, deadline);
      },
      (error: unknown) => {
        if (!deadline.isCancelled) this.#failed(error, deadline);
      },
    );
    this.#broker.wake();
  }

  /** Fails closed: who cannot be judged does not come in. */
  #failed(error: unknown, deadline?: Deadline): void {
    this.#broker.observer.authenticatorFailed?.(this.#connection, error);
    this.#resume({ kind: "refused", reason: "server-unavailable" }, deadline);
  }

  #resume(verdict: Verdict, deadline?: Deadline): void {
    deadline?.cancel();
    this.#broker.beginTurn();
    this.#decide(verdict);
    this.#connection.resumeReading(Pause.deciding);
    this.#connection.markDirty();
  }

  #decide(verdict: Verdict): void {
    if (this.#connection.machine.ended !== null) return;
    // Also those that were being judged when others failed: who guesses many at once learns no more than who guesses in turn.
    const refusal = this.#connection.session === null ? this.#refusalOfAddress() : null;
    if (refusal !== null) this.#refuse(refusal.reason, refusal.why);
    else if (verdict.kind === "challenge") this.#challenge(verdict.data, verdict.next);
    else if (verdict.kind === "refused") this.#notLetIn(verdict.reason, verdict.reasonString ?? null);
    else if (this.#connection.session !== null) this.#reauthenticated(verdict);
    else this.#accept(verdict);
  }

  #challenge(data: Uint8Array | undefined, next: Next): void {
    const { machine } = this.#connection;
    if (!machine.canChallenge) {
      this.#refuse("not-authorized", "the authenticator asks for more, but CONNECT names no authentication method");
      return;
    }
    this.#next = next;
    machine.challenge(data, this.#broker.turnMs + this.#broker.options.connectTimeoutMs);
    this.#connection.markDirty();
  }

  #notLetIn(reason: EndReason, why: string | null): void {
    const { entrance, link } = this.#connection;
    const { admission, turnMs } = this.#broker;
    if (reason === "not-authorized" || reason === "bad-user-name-or-password")
      admission.loginFailed(entrance, link.remoteAddress, turnMs);
    this.#refuse(reason, why);
  }

  #refuse(reason: EndReason, why: string | null, isSilent: boolean = false): void {
    const { machine } = this.#connection;
    this.#connection.decided();
    if (machine.isConnected) machine.end(reason);
    else machine.refuse(reason, why, isSilent);
    this.#connection.process();
  }

  #reauthenticated(verdict: Accepted): void {
    const connection = this.#connection;
    connection.policy = verdict.policy;
    connection.decided();
    connection.machine.reauthenticated(verdict.data);
    connection.markDirty();
  }

  #accept(verdict: Accepted): void {
    const connection = this.#connection;
    const connect = this.#connect!;
    const clientId = this.clientId!;
    if (verdict.username !== undefined) connection.connect = { ...connection.connect!, username: verdict.username };
    const { sessions, ledger, records } = this.#broker;
    const existing = sessions.get(clientId);
    // What was nobody's may become somebody's, as when passwords are introduced.
    if (existing !== undefined && existing.principal !== null && existing.principal !== verdict.principal) {
      this.#refuse("client-identifier-not-valid", "the client identifier belongs to another user's session");
      return;
    }
    const expirySeconds = this.#sessionExpirySeconds(connect);
    if (ledger.isFull && (expirySeconds > 0 || existing?.isStored === true)) {
      this.#refuse("server-unavailable", "the store is too far behind to take a Session that outlives its connection");
      return;
    }
    if (this.#awaitsPredecessor(verdict, existing)) return;
    connection.policy = verdict.policy;
    connection.reauthenticate = verdict.reauthenticate ?? null;
    const { session, isPresent, wasStored } = sessions.open(
      connection,
      clientId,
      verdict.principal,
      connect.cleanStart,
      expirySeconds,
    );
    connection.session = session;
    session.source = sourceOf(connection);
    const { mountPoint } = connection.entrance;
    session.will =
      connect.will === null ? null : PendingWill.of(connect.will, mountPoint, verdict.policy, session.source);
    records.sessionSet(session, null);
    if (session.will !== null) records.willSet(session, session.will, null);
    if (!records.covers(session) && !wasStored) {
      this.#welcome(connect, verdict, isPresent);
      return;
    }
    // With the CONNACK a durable Session is promised, or that one is no more.
    connection.pauseReading(Pause.deciding);
    ledger.whenKept(() => {
      if (connection.machine.ended !== null || session.connection !== connection) return;
      this.#welcome(connect, verdict, isPresent);
      connection.resumeReading(Pause.deciding);
    });
  }

  /** Whether an earlier Session of this client must first leave to others what it held for them; `verdict` counts afterwards. */
  #awaitsPredecessor(verdict: Accepted, existing: Session | undefined): boolean {
    const { sessions } = this.#broker;
    const connection = this.#connection;
    const { cleanStart } = this.#connect!;
    if (existing?.leavesShared === true && (cleanStart || !existing.isDurable))
      sessions.leave(existing.clientId, cleanStart);
    const isWaiting = sessions.whenSettled(this.clientId!, () => {
      this.#decide(verdict);
      connection.resumeReading(Pause.deciding);
    });
    if (isWaiting) connection.pauseReading(Pause.deciding);
    return isWaiting;
  }

  #sessionExpirySeconds(connect: Connect): number {
    const { maximumSessionExpirySeconds } = this.#broker.options;
    if (connect.version === 5)
      return Math.min(connect.properties.sessionExpirySeconds ?? 0, maximumSessionExpirySeconds);
    return connect.cleanStart ? 0 : Math.min(NEVER_EXPIRES_SECONDS, maximumSessionExpirySeconds);
  }

  #welcome(connect: Connect, verdict: Accepted, sessionPresent: boolean): void {
    const connection = this.#connection;
    const { options, observer, packetObserver, counters, turnMs } = this.#broker;
    const { properties } = connect;
    const keepAliveSeconds = this.#keepAliveSeconds(connect);
    connection.receiveMaximum = properties.receiveMaximum ?? 65_535;
    const aliases = Math.min(properties.topicAliasMaximum ?? 0, connection.entrance.topicAliasMaximumOut);
    if (aliases > 0) connection.aliases = new OutboundAliases(aliases);
    // A bridge: ours here says so by mosquitto's bit, one of another broker by the Will that tells of its state.
    const isBridge = connect.bridge || (connect.will !== null && isBridgeState(connect.will.topicName));
    connection.exchangesMarks = connect.version === 5 && isBridge;
    const granted = connect.version === 5 ? this.#granted(connect, verdict, keepAliveSeconds) : NO_PROPERTIES;
    const { maximumPacketSize } = options;
    const { topicAliasMaximum } = connection.entrance;
    connection.machine.accept(
      { sessionPresent, properties: granted, keepAliveSeconds, maximumPacketSize, topicAliasMaximum },
      turnMs,
    );
    if (connection.machine.ended !== null) {
      // The CONNACK was too large for the client. Who reads on hears of the end.
      connection.decided();
      return;
    }
    counters.messagesSent++;
    packetObserver?.sent(connection, { type: "CONNACK", sessionPresent, reasonCode: 0, properties: granted });
    connection.isReady = true;
    connection.decided();
    this.#broker.connectedClients++;
    observer.connected?.(connection, connect);
    connection.markDirty();
    connection.session!.resume(connection);
  }

  #keepAliveSeconds(connect: Connect): number {
    const { maximumKeepAliveSeconds: maximum } = this.#broker.options;
    const asked = connect.keepAliveSeconds;
    return maximum > 0 && (asked === 0 || asked > maximum) ? maximum : asked;
  }

  /** Properties of the CONNACK, each only when it says something. */
  #granted(connect: Connect, verdict: Accepted, keepAliveSeconds: number): Properties {
    const { options } = this.#broker;
    const { topicAliasMaximum, maximumQos } = this.#connection.entrance;
    const { properties } = connect;
    const expiry = this.#sessionExpirySeconds(connect);
    return {
      ...(expiry !== (properties.sessionExpirySeconds ?? 0) && { sessionExpirySeconds: expiry }),
      ...(keepAliveSeconds !== connect.keepAliveSeconds && { serverKeepAliveSeconds: keepAliveSeconds }),
      ...(topicAliasMaximum > 0 && { topicAliasMaximum }),
      ...(this.#isAssigned && { assignedClientId: this.clientId! }),
      ...(properties.authenticationMethod !== undefined && { authenticationMethod: properties.authenticationMethod }),
      ...(verdict.data !== undefined && { authenticationData: verdict.data }),
      ...(properties.requestResponseInformation &&
        options.responseInformation !== null && {
          responseInformation: `${options.responseInformation}${this.clientId}`,
        }),
      ...(this.#connection.exchangesMarks && { userProperties: [[BRIDGE_MARK, "1"]] as const }),
      ...(!options.retainAvailable && { retainAvailable: false }),
      ...(options.maximumPacketSize > 0 &&
        Number.isFinite(options.maximumPacketSize) && { maximumPacketSize: options.maximumPacketSize }),
      ...(options.receiveMaximum < 65_535 && { receiveMaximum: options.receiveMaximum }),
      ...(maximumQos < 2 && { maximumQos: maximumQos as 0 | 1 }),
    };
  }
}
