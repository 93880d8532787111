/** The spaces of numbers with their tables, and the places where a user met a number, which tell the likely spaces. */
import { CONNACK_CODES, SUBACK_CODES } from "./catalogue/connack.ts";
import { ESP_CODES, MBEDTLS_CODES, PUBSUBCLIENT_CODES } from "./catalogue/devices.ts";
import { ERRNO_CODES } from "./catalogue/errno.ts";
import { EXIT_CODES } from "./catalogue/exit-codes.ts";
import { CLIENT_CODES, DROP_CODES, END_CODES } from "./catalogue/lacewing.ts";
import { MOSQUITTO_ERRORS } from "./catalogue/mosquitto-errors.ts";
import { PAHO_C_CODES, PAHO_JAVA_CODES, PAHO_JS_CODES, PAHO_PYTHON_CODES } from "./catalogue/paho.ts";
import { REASONS } from "./catalogue/reason-codes.ts";
import { ALERT_CODES, TLS_CODES, X509_CODES } from "./catalogue/tls.ts";
import type { Code, Space } from "./code.ts";
import type { Text } from "./entry.ts";

interface SpaceTable {
  readonly title: Text;
  readonly codes: readonly Code[];
}

/** The tables, in the order in which a bare number is looked up. */
export const SPACES: Readonly<Record<Space, SpaceTable>> = {
  mosquitto: {
    title: { en: "error of libmosquitto (mosq_err_t)", zh: "libmosquitto 错误（mosq_err_t）" },
    codes: MOSQUITTO_ERRORS,
  },
  connack: {
    title: { en: "CONNACK return code, MQTT 3.1 and 3.1.1", zh: "CONNACK 返回码（MQTT 3.1/3.1.1）" },
    codes: CONNACK_CODES,
  },
  reason: { title: { en: "reason code of MQTT 5.0", zh: "MQTT 5.0 原因码" }, codes: REASONS },
  suback: { title: { en: "SUBACK return code, MQTT 3.1.1", zh: "SUBACK 返回码（MQTT 3.1.1）" }, codes: SUBACK_CODES },
  pubsubclient: {
    title: { en: "state() of PubSubClient (Arduino)", zh: "PubSubClient(Arduino)的 state()" },
    codes: PUBSUBCLIENT_CODES,
  },
  errno: { title: { en: "error of the operating system", zh: "操作系统错误" }, codes: ERRNO_CODES },
  exit: {
    title: { en: "exit code of mosquitto's and Lacewing's programs", zh: "mosquitto / Lacewing 程序的退出码" },
    codes: EXIT_CODES,
  },
  "paho-python": { title: { en: "error of Paho for Python", zh: "Paho Python 错误" }, codes: PAHO_PYTHON_CODES },
  "paho-c": { title: { en: "return code of Paho for C", zh: "Paho C 返回码" }, codes: PAHO_C_CODES },
  "paho-js": { title: { en: "error of Paho for JavaScript", zh: "Paho JavaScript 错误" }, codes: PAHO_JS_CODES },
  "paho-java": { title: { en: "reason code of Paho for Java", zh: "Paho Java 原因码" }, codes: PAHO_JAVA_CODES },
  tls: { title: { en: "TLS error of OpenSSL or Node.js", zh: "TLS 错误（OpenSSL / Node.js）" }, codes: TLS_CODES },
  x509: {
    title: { en: "verification of a certificate (X509_V_ERR)", zh: "证书校验结果（X509_V_ERR）" },
    codes: X509_CODES,
  },
  alert: { title: { en: "TLS alert", zh: "TLS 警报" }, codes: ALERT_CODES },
  esp: { title: { en: "error of ESP-IDF", zh: "ESP-IDF 错误" }, codes: ESP_CODES },
  mbedtls: { title: { en: "error of Mbed TLS", zh: "Mbed TLS 错误" }, codes: MBEDTLS_CODES },
  end: { title: { en: "why Lacewing ended a connection", zh: "Lacewing 断开连接的原因" }, codes: END_CODES },
  drop: { title: { en: "why Lacewing dropped a message", zh: "Lacewing 丢弃消息的原因" }, codes: DROP_CODES },
  client: {
    title: { en: "code of an error of Lacewing's client library", zh: "Lacewing 客户端库错误码" },
    codes: CLIENT_CODES,
  },
};

/** A space, and the packet when only its codes are meant. */
export interface Place {
  readonly space: Space;
  readonly packet?: string;
}

function inPacket(packet: string): Place {
  return { space: "reason", packet };
}

const MOSQUITTO: Place = { space: "mosquitto" };
const PAHO: readonly Place[] = [
  { space: "paho-python" },
  { space: "paho-c" },
  { space: "paho-js" },
  { space: "paho-java" },
];

/** A place where a user can have met a number. */
export type Source =
  | "on_disconnect"
  | "on_connect"
  | "on_subscribe"
  | "on_unsubscribe"
  | "on_publish"
  | "mosquitto"
  | "loop"
  | "connack"
  | "suback"
  | "unsuback"
  | "puback"
  | "pubrec"
  | "pubrel"
  | "pubcomp"
  | "disconnect"
  | "auth"
  | "reason"
  | "exit"
  | "errno"
  | "tls"
  | "x509"
  | "alert"
  | "paho"
  | "paho-python"
  | "paho-c"
  | "paho-js"
  | "paho-java"
  | "pubsubclient"
  | "esp32"
  | "client"
  | "broker";

/** Where a number was met, and what it can be then, the likeliest first. */
const SOURCES: Readonly<Record<Source, readonly Place[]>> = {
  on_disconnect: [MOSQUITTO, inPacket("DISCONNECT")],
  on_connect: [{ space: "connack" }, inPacket("CONNACK"), MOSQUITTO],
  on_subscribe: [{ space: "suback" }, inPacket("SUBACK")],
  on_unsubscribe: [inPacket("UNSUBACK")],
  on_publish: [inPacket("PUBACK"), inPacket("PUBREC"), inPacket("PUBCOMP"), MOSQUITTO],
  mosquitto: [MOSQUITTO],
  loop: [MOSQUITTO],
  connack: [{ space: "connack" }, inPacket("CONNACK")],
  suback: [{ space: "suback" }, inPacket("SUBACK")],
  unsuback: [inPacket("UNSUBACK")],
  puback: [inPacket("PUBACK")],
  pubrec: [inPacket("PUBREC")],
  pubrel: [inPacket("PUBREL")],
  pubcomp: [inPacket("PUBCOMP")],
  disconnect: [inPacket("DISCONNECT")],
  auth: [inPacket("AUTH")],
  reason: [{ space: "reason" }],
  exit: [{ space: "exit" }, MOSQUITTO],
  errno: [{ space: "errno" }],
  tls: [{ space: "tls" }, { space: "x509" }, { space: "alert" }],
  x509: [{ space: "x509" }],
  alert: [{ space: "alert" }],
  paho: PAHO,
  "paho-python": [{ space: "paho-python" }],
  "paho-c": [{ space: "paho-c" }],
  "paho-js": [{ space: "paho-js" }],
  "paho-java": [{ space: "paho-java" }],
  pubsubclient: [{ space: "pubsubclient" }],
  esp32: [{ space: "esp" }, { space: "mbedtls" }, { space: "errno" }],
  client: [{ space: "client" }],
  broker: [{ space: "end" }, { space: "drop" }, inPacket("DISCONNECT")],
};

/** The places by name, in the order of the help text. */
export const SOURCE_NAMES: readonly Source[] = Object.keys(SOURCES) as Source[];

/** What a number can be when it comes from `source`, the likeliest first. */
export function placesOf(source: Source): readonly Place[] {
  return SOURCES[source];
}

/** The source that means a space the most: the one in which it comes first. */
export function sourceOf(space: Space): Source {
  const rank = (source: Source): number => {
    const place = SOURCES[source].findIndex((one) => one.space === space);
    return place < 0 ? Number.POSITIVE_INFINITY : place + (source === space ? -1 : 0);
  };
  return [...SOURCE_NAMES].sort((a, b) => rank(a) - rank(b))[0] ?? "mosquitto";
}

/** A row with the space it is in. */
export interface Found {
  readonly space: Space;
  readonly row: Code;
}

/** The rows with number `code` in `place`. */
export function rowsOf(place: Place, code: number): Found[] {
  const { space, packet } = place;
  // Node.js gives the numbers of Linux as negative ones.
  const fits = (row: Code) => row.code === code || (space === "errno" && code < 0 && row.code === -code);
  return SPACES[space].codes
    .filter((row) => fits(row) && (packet === undefined || row.on?.includes(packet) === true))
    .map((row) => ({ space, row }));
}

/** The rows with this number in any space, the likeliest first. */
export function rowsAnywhere(code: number, isHexadecimal: boolean): Found[] {
  const spaces = Object.keys(SPACES) as Space[];
  const found = spaces.flatMap((space) => rowsOf({ space }, code));
  const first = firstSpaces(code, isHexadecimal);
  const rank = ({ space }: Found) => (first.includes(space) ? first.indexOf(space) : first.length);
  return found.sort((a, b) => rank(a) - rank(b));
}

function firstSpaces(code: number, isHexadecimal: boolean): readonly Space[] {
  if (isHexadecimal && code < 0) return ["mbedtls"];
  if (isHexadecimal) return ["reason", "esp", "alert"];
  if (code < 0) return ["pubsubclient", "paho-c", "mosquitto"];
  if (code >= 100 && code < 128) return ["errno"];
  return code >= 128 ? ["reason"] : ["mosquitto"];
}

const PREFIXES = /^(?:MOSQ_ERR_|X509_V_ERR_|X509_V_|MQTT_ERR_|ERR_SSL_|MQTTCLIENT_|MQTTASYNC_|REASON_CODE_|MQTT_RC_)/;

function keyOf(name: string): string {
  return name.toUpperCase().replaceAll(/[\s_-]+/g, "_");
}

const BY_NAME: ReadonlyMap<string, readonly Found[]> = indexByName();

function indexByName(): Map<string, Found[]> {
  const index = new Map<string, Found[]>();
  const add = (name: string, found: Found): void => {
    const key = keyOf(name);
    const there = index.get(key) ?? [];
    if (!there.some(({ row }) => row === found.row)) index.set(key, [...there, found]);
  };
  for (const space of Object.keys(SPACES) as Space[])
    for (const row of SPACES[space].codes)
      for (const name of [row.name, ...(row.aliases ?? [])]) {
        const found = { space, row };
        add(name, found);
        const short = keyOf(name).replace(PREFIXES, "");
        if (short.length >= 3) add(short, found);
      }
  return index;
}

/** The rows with this name, however it is written. */
export function rowsNamed(name: string): readonly Found[] {
  const key = keyOf(name.trim());
  return BY_NAME.get(key) ?? BY_NAME.get(key.replace(PREFIXES, "")) ?? [];
}

interface Saying {
  readonly text: string;
  readonly found: Found;
}

/** Texts that programs print, the longest first, so that a part of one does not hide it. */
const SAYINGS: readonly Saying[] = (Object.keys(SPACES) as Space[])
  .filter((space) => space !== "end" && space !== "drop")
  .flatMap((space) =>
    SPACES[space].codes.flatMap((row) => {
      const texts = row.says === undefined ? [] : [row.says, ...(row.aliases ?? [])];
      return texts.map((text) => ({ text: text.toLowerCase().replace(/[.]$/, ""), found: { space, row } }));
    }),
  )
  .filter(({ text }) => text.length >= 8)
  .sort((a, b) => b.text.length - a.text.length);

/** The rows of the longest text of a program that `line` holds. */
export function rowsSaying(line: string): Found[] {
  const text = line.toLowerCase();
  const first = SAYINGS.find((saying) => text.includes(saying.text));
  return first === undefined ? [] : SAYINGS.filter((saying) => saying.text === first.text).map(({ found }) => found);
}
