/** Random packets that are legal on the wire, of each type and version, for property tests. */
import * as fc from "fast-check";
import {
  isReasonCodeOn,
  isShared,
  NO_PROPERTIES,
  type Packet,
  PROPERTIES,
  type Properties,
  type PropertyPacket,
  publishOf,
  type Qos,
  type ReasonPacket,
  type Side,
  topicFilterFault,
  topicNameFault,
  type Version,
  type Will,
} from "../../src/protocol/index.ts";

/** A packet, who sends it, and on a connection of which version. */
export interface Sent {
  readonly version: Version;
  readonly sender: Side;
  readonly packet: Packet;
}

const isSendable = (text: string): boolean => text.isWellFormed() && !text.includes("\0");
/** Text that may be sent; now and then longer than what is treated as short. */
const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: "binary", maxLength: 12 }).filter(isSendable) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 60, maxLength: 140 }).filter(isSendable) },
);
const bytes = fc.uint8Array({ maxLength: 40 });
const packetId = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(1, 255, 256, 65_535));
const qos = fc.constantFrom<Qos>(0, 1, 2);
const u16 = fc.integer({ min: 0, max: 65_535 });
const u32 = fc.oneof(fc.integer({ min: 0, max: 4_294_967_295 }), fc.constantFrom(0, 4_294_967_295));
const varint = fc.constantFrom(1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455);
const positive = (max: number) => fc.integer({ min: 1, max });

const level = fc.constantFrom("", "a", "b", "é", "日本", "$x", "a b");
/** A Topic Name. */
export const topicName: fc.Arbitrary<string> = fc
  .oneof(
    fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join("/")),
    text,
  )
  .filter((name) => topicNameFault(name) === null);
/** A Topic Filter, shared ones included. */
export const topicFilter: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "", "$share/g/"),
    fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 5 }),
    fc.constantFrom("a", "+", "#", ""),
  )
  .map(([share, levels, last]) => share + [...levels, last].join("/"))
  .filter((filter) => topicFilterFault(filter) === null);

/** A legal value of each property. */
const VALUES: { readonly [Field in keyof Required<Properties>]: fc.Arbitrary<Required<Properties>[Field]> } = {
  payloadFormatIndicator: fc.constantFrom(0, 1),
  messageExpirySeconds: u32,
  contentType: text,
  responseTopic: topicName,
  correlationData: bytes,
  subscriptionIdentifiers: fc.array(varint, { minLength: 1, maxLength: 3 }),
  sessionExpirySeconds: u32,
  assignedClientId: text,
  serverKeepAliveSeconds: u16,
  authenticationMethod: text,
  authenticationData: bytes,
  requestProblemInformation: fc.boolean(),
  willDelaySeconds: u32,
  requestResponseInformation: fc.boolean(),
  responseInformation: text,
  serverReference: text,
  reasonString: text,
  receiveMaximum: positive(65_535),
  topicAliasMaximum: u16,
  topicAlias: positive(65_535),
  maximumQos: fc.constantFrom(0, 1),
  retainAvailable: fc.boolean(),
  userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }),
  maximumPacketSize: positive(4_294_967_295),
  wildcardSubscriptionAvailable: fc.boolean(),
  subscriptionIdentifierAvailable: fc.boolean(),
  sharedSubscriptionAvailable: fc.boolean(),
};

/** Properties of `packet` but for those in `without`; half of the time none, and always none before 5.0. */
function propertiesOf(
  version: Version,
  packet: PropertyPacket,
  without: readonly (keyof Properties)[] = [],
): fc.Arbitrary<Properties> {
  if (version !== 5) return fc.constant(NO_PROPERTIES);
  const fields = PROPERTIES.filter(({ on, field }) => on.includes(packet) && !without.includes(field));
  const model = Object.fromEntries(fields.map(({ field }) => [field, VALUES[field]]));
  const some = fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Properties>;
  return fc.oneof(fc.constant(NO_PROPERTIES), some);
}

function codeOf(packet: ReasonPacket, without: readonly number[] = []): fc.Arbitrary<number> {
  const codes = Array.from({ length: 256 }, (_, code) => code);
  return fc.constantFrom(...codes.filter((code) => isReasonCodeOn(packet, code) && !without.includes(code)));
}

function willOf(version: Version): fc.Arbitrary<Will> {
  const properties = propertiesOf(version, "WILL");
  return fc.record({ topicName, payload: bytes, qos, retain: fc.boolean(), properties });
}

function connectOf(version: Version): fc.Arbitrary<Packet> {
  return fc
    .record({
      bridge: fc.boolean(),
      cleanStart: fc.boolean(),
      keepAliveSeconds: u16,
      clientId: text,
      will: fc.option(willOf(version)),
      username: fc.option(text),
      password: fc.option(bytes),
      properties: propertiesOf(version, "CONNECT"),
    })
    .map((fields) => {
      const needsId = version === 3 || (version === 4 && !fields.cleanStart);
      const { authenticationMethod, authenticationData, ...others } = fields.properties;
      const hasLoneData = authenticationMethod === undefined && authenticationData !== undefined;
      return {
        type: "CONNECT",
        version,
        ...fields,
        clientId: fields.clientId === "" && needsId ? "c" : fields.clientId,
        password: version !== 5 && fields.username === null ? null : fields.password,
        properties: hasLoneData ? others : fields.properties,
      };
    });
}

function connackOf(version: Version): fc.Arbitrary<Packet> {
  const reasonCode = version === 5 ? codeOf("CONNACK") : fc.integer({ min: 0, max: 5 });
  return fc.tuple(reasonCode, fc.boolean(), propertiesOf(version, "CONNACK")).map(([code, isPresent, properties]) => ({
    type: "CONNACK",
    reasonCode: code,
    sessionPresent: isPresent && code === 0 && version !== 3,
    properties,
  }));
}

function publishArbitrary(version: Version, sender: Side): fc.Arbitrary<Packet> {
  const without = sender === "client" ? (["subscriptionIdentifiers"] as const) : [];
  return fc
    .record({
      topicName,
      payload: fc.oneof(bytes, fc.uint8Array({ minLength: 100, maxLength: 300 })),
      qos,
      retain: fc.boolean(),
      dup: fc.boolean(),
      packetId,
      properties: propertiesOf(version, "PUBLISH", without),
      isAliased: fc.boolean(),
    })
    .map(({ isAliased, ...fields }) =>
      publishOf({
        ...fields,
        topicName: isAliased && fields.properties.topicAlias !== undefined ? "" : fields.topicName,
        dup: fields.dup && fields.qos > 0,
        packetId: fields.qos === 0 ? 0 : fields.packetId,
      }),
    );
}

function acknowledgementOf(version: Version): fc.Arbitrary<Packet> {
  const types = ["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"] as const;
  return fc.oneof(
    ...types.map((type) =>
      fc.record({
        type: fc.constant(type),
        packetId,
        reasonCode: version === 5 ? codeOf(type) : fc.constant(0),
        properties: propertiesOf(version, type),
      }),
    ),
  );
}

function subscribeOf(version: Version): fc.Arbitrary<Packet> {
  const isFive = version === 5;
  const request = fc
    .record({
      topicFilter,
      qos,
      noLocal: isFive ? fc.boolean() : fc.constant(false),
      retainAsPublished: isFive ? fc.boolean() : fc.constant(false),
      retainHandling: isFive ? fc.constantFrom<0 | 1 | 2>(0, 1, 2) : fc.constant<0>(0),
    })
    .map((fields) => ({ ...fields, noLocal: fields.noLocal && !isShared(fields.topicFilter) }));
  const subscriptions = fc.array(request, { minLength: 1, maxLength: 4 });
  const properties = propertiesOf(version, "SUBSCRIBE").map(({ subscriptionIdentifiers: ids, ...others }) =>
    ids === undefined ? others : { ...others, subscriptionIdentifiers: ids.slice(0, 1) },
  );
  return fc.record({ type: fc.constant("SUBSCRIBE"), packetId, subscriptions, properties });
}

function subackOf(version: Version): fc.Arbitrary<Packet> {
  const code = version === 5 ? codeOf("SUBACK") : fc.constantFrom(0, 1, 2, 0x80);
  const reasonCodes = fc.array(code, { minLength: 1, maxLength: 4 });
  return fc.record({ type: fc.constant("SUBACK"), packetId, reasonCodes, properties: propertiesOf(version, "SUBACK") });
}

function unsubscribeOf(version: Version): fc.Arbitrary<Packet> {
  const topicFilters = fc.array(topicFilter, { minLength: 1, maxLength: 4 });
  const properties = propertiesOf(version, "UNSUBSCRIBE");
  return fc.record({ type: fc.constant("UNSUBSCRIBE"), packetId, topicFilters, properties });
}

function unsubackOf(version: Version): fc.Arbitrary<Packet> {
  const reasonCodes = version === 5 ? fc.array(codeOf("UNSUBACK"), { minLength: 1, maxLength: 4 }) : fc.constant([]);
  const properties = propertiesOf(version, "UNSUBACK");
  return fc.record({ type: fc.constant("UNSUBACK"), packetId, reasonCodes, properties });
}

/** Codes of DISCONNECT for servers alone [5.0 §3.14.2.1]. */
const FOR_SERVERS = [0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2] as const;

function disconnectOf(version: Version, sender: Side): fc.Arbitrary<Packet> {
  const isServer = sender === "server";
  const reasonCode = version === 5 ? codeOf("DISCONNECT", isServer ? [4] : FOR_SERVERS) : fc.constant(0);
  const properties = propertiesOf(version, "DISCONNECT", isServer ? ["sessionExpirySeconds"] : []);
  return fc.record({ type: fc.constant("DISCONNECT"), reasonCode, properties });
}

function authOf(sender: Side): fc.Arbitrary<Packet> {
  const reasonCode = codeOf("AUTH", [sender === "client" ? 0 : 0x19]);
  const properties = propertiesOf(5, "AUTH").chain((some) =>
    text.map((authenticationMethod) => ({ authenticationMethod, ...some })),
  );
  return fc.record({ type: fc.constant("AUTH"), reasonCode, properties });
}

/** What `sender` may send, by version. */
function packetsOf(version: Version, sender: Side): fc.Arbitrary<Packet>[] {
  const both = [publishArbitrary(version, sender), acknowledgementOf(version)];
  const both5 = version === 5 ? [authOf(sender)] : [];
  const disconnect = sender === "client" || version === 5 ? [disconnectOf(version, sender)] : [];
  const own: fc.Arbitrary<Packet>[] =
    sender === "client"
      ? [connectOf(version), subscribeOf(version), unsubscribeOf(version), fc.constant({ type: "PINGREQ" })]
      : [connackOf(version), subackOf(version), unsubackOf(version), fc.constant({ type: "PINGRESP" })];
  return [...both, ...both5, ...disconnect, ...own];
}

/** Any packet of `sender` in `version`. */
export function packetOf(version: Version, sender: Side): fc.Arbitrary<Packet> {
  return fc.oneof(...packetsOf(version, sender));
}

/** Any packet of anybody. */
export const sent: fc.Arbitrary<Sent> = fc
  .tuple(fc.constantFrom<Version>(3, 4, 5), fc.constantFrom<Side>("client", "server"))
  .chain(([version, sender]) => packetOf(version, sender).map((packet) => ({ version, sender, packet })));

/** Cuts bytes into chunks at any places. */
export function chunksOf(all: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (all.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => all.slice(from, [...cuts, all.length][i]));
}
