/** Which errors end a client for good: those that the same attempt would only meet again. */
import { ReasonCode } from "../protocol/index.ts";
import type { ConnectionError } from "./errors.ts";

/** Refusals of 5.0 that trying again does not change. */
const FINAL_REFUSALS: ReadonlySet<number> = new Set([
  ReasonCode.MalformedPacket,
  ReasonCode.ProtocolError,
  ReasonCode.UnsupportedProtocolVersion,
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
  ReasonCode.Banned,
  ReasonCode.BadAuthenticationMethod,
  ReasonCode.TopicNameInvalid,
  ReasonCode.PacketTooLarge,
  ReasonCode.PayloadFormatInvalid,
  ReasonCode.RetainNotSupported,
  ReasonCode.QosNotSupported,
  ReasonCode.ServerMoved,
]);

/** Return codes before 5.0: all but 3, server unavailable. */
const FINAL_RETURN_CODES: ReadonlySet<number> = new Set([1, 2, 4, 5]);

/** Goodbyes of the server after which coming again does harm or no good. */
const FINAL_GOODBYES: ReadonlySet<number> = new Set([
  ReasonCode.NotAuthorized,
  ReasonCode.BadAuthenticationMethod,
  // Whoever took it over would be thrown out in turn, for ever.
  ReasonCode.SessionTakenOver,
  ReasonCode.ServerMoved,
]);

/**
 * Whether a client gives up after `error`. It does not after a failure of TLS, as a clock that is wrong may be put right and a
 * certificate be renewed, nor for anything that the network does.
 */
export function isFinal({ code, reasonCode }: ConnectionError): boolean {
  switch (code) {
    case "connection-refused":
      // 1 to 5 are return codes of CONNACK before 5.0, which has no reason code below 0x80 for a refusal.
      return reasonCode !== null && (reasonCode < 0x80 ? FINAL_RETURN_CODES : FINAL_REFUSALS).has(reasonCode);
    case "disconnected-by-server":
      return reasonCode !== null && FINAL_GOODBYES.has(reasonCode);
    case "authentication-failed":
      return true;
    default:
      return false;
  }
}

/** Whether the server knows another version of MQTT and not this one. */
export function isVersionRefused({ code, reasonCode }: ConnectionError): boolean {
  return code === "connection-refused" && (reasonCode === 1 || reasonCode === ReasonCode.UnsupportedProtocolVersion);
}
