/** Rows of the tables of numbers and names, and the spaces that these tables are for: one number means different things in each. */
import type { MeaningKey } from "./catalogue/meanings.ts";
import type { Text } from "./entry.ts";

/** Where a number or name can come from. */
export type Space =
  | "alert"
  | "client"
  | "connack"
  | "drop"
  | "end"
  | "errno"
  | "esp"
  | "exit"
  | "mbedtls"
  | "mosquitto"
  | "paho-c"
  | "paho-java"
  | "paho-js"
  | "paho-python"
  | "pubsubclient"
  | "reason"
  | "suback"
  | "tls"
  | "x509";

/** One number or name of a space. */
export interface Code {
  /** Null for a name that has no number. */
  readonly code: number | null;
  /** As it is written in programs and logs. */
  readonly name: string;
  /** The text that programs print for it, when they do. */
  readonly says?: string;
  readonly meaning: MeaningKey;
  /** What is special about it here. */
  readonly note?: Text;
  /** The versions that have this number, when not all do. */
  readonly only?: string;
  /** Reason codes: the packets that may carry it. */
  readonly on?: readonly string[];
  /** Other spellings. */
  readonly aliases?: readonly string[];
}
