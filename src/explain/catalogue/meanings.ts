/** All meanings by their keys. */
import type { Meanings } from "../entry.ts";
import { ASKING, type AskingKey } from "./asking.ts";
import { CERTIFICATES, type CertificatesKey } from "./certificates.ts";
import { CONFIGURING, type ConfiguringKey } from "./configuring.ts";
import { CONNECTING, type ConnectingKey } from "./connecting.ts";
import { DELIVERING, type DeliveringKey } from "./delivering.ts";
import { ELSEWHERE, type ElsewhereKey } from "./elsewhere.ts";
import { FINDING, type FindingKey } from "./finding.ts";
import { HANDSHAKING, type HandshakingKey } from "./handshaking.ts";
import { KEY_FILES, type KeyFilesKey } from "./key-files.ts";
import { LOSING, type LosingKey } from "./losing.ts";
import { OPERATING, type OperatingKey } from "./operating.ts";
import { PORTS, type PortsKey } from "./ports.ts";
import { REFUSING, type RefusingKey } from "./refusing.ts";
import { SPEAKING, type SpeakingKey } from "./speaking.ts";
import { SUBSCRIBING, type SubscribingKey } from "./subscribing.ts";

/** The key of a meaning. */
export type MeaningKey =
  | AskingKey
  | CertificatesKey
  | KeyFilesKey
  | ConfiguringKey
  | ConnectingKey
  | ElsewhereKey
  | FindingKey
  | DeliveringKey
  | SubscribingKey
  | HandshakingKey
  | LosingKey
  | OperatingKey
  | PortsKey
  | RefusingKey
  | SpeakingKey;

/** The meanings. */
export const MEANINGS: Meanings<MeaningKey> = {
  ...CONNECTING,
  ...PORTS,
  ...FINDING,
  ...REFUSING,
  ...LOSING,
  ...HANDSHAKING,
  ...CERTIFICATES,
  ...KEY_FILES,
  ...DELIVERING,
  ...SUBSCRIBING,
  ...SPEAKING,
  ...OPERATING,
  ...CONFIGURING,
  ...ASKING,
  ...ELSEWHERE,
};
