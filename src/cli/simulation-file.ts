/**
 * The files of `lacewing simulate`: sections `[device NAME]`, each with its messages in sections `[message]`, and settings `name =
 * value`. A line that begins with # says nothing; one that begins with a space goes on with the value above. All mistakes are found,
 * not only the first. Reads no files.
 */
import { nearest, type Qos, topicFilterFault, topicNameFault } from "../protocol/index.ts";
import { parseTemplate, type Template, TemplateError } from "./template.ts";

/** A message that a device publishes again and again. */
export interface SimulatedMessage {
  readonly topic: Template;
  readonly payload: Template;
  readonly intervalMs: number;
  /** Each wait is longer or shorter by up to so much. */
  readonly jitterMs: number;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** What is published once, or by the broker. */
export interface SimulatedNote {
  readonly topic: Template;
  readonly payload: Template;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** A kind of device. */
export interface SimulatedDevice {
  readonly name: string;
  readonly count: number;
  readonly clientId: Template;
  readonly username: Template | null;
  readonly password: Template | null;
  readonly will: SimulatedNote | null;
  /** Published on each connection. */
  readonly birth: SimulatedNote | null;
  /** Topic Filters to subscribe to on each connection. */
  readonly subscriptions: readonly Template[];
  readonly subscriptionQos: Qos;
  readonly messages: readonly SimulatedMessage[];
}

/** A file that is not understood; each mistake with its line. */
export class SimulationFileError extends Error {
  override readonly name: string = "SimulationFileError";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join("\n"));
    this.mistakes = mistakes;
  }
}

interface Setting {
  readonly line: number;
  readonly value: string;
}

interface Section {
  readonly kind: "device" | "message";
  readonly name: string;
  readonly line: number;
  readonly settings: Map<string, Setting>;
}

/** Most devices: as many connections as one address has ports. */
const MOST_DEVICES = 65_535;

const DEVICE_SETTINGS = [
  ...["count", "client-id", "username", "password", "subscribe", "subscribe-qos"],
  ...["will-topic", "will-payload", "will-qos", "will-retain"],
  ...["birth-topic", "birth-payload", "birth-qos", "birth-retain"],
];
const MESSAGE_SETTINGS = ["topic", "payload", "interval", "jitter", "qos", "retain"];
const SETTINGS = { device: DEVICE_SETTINGS, message: MESSAGE_SETTINGS } as const;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_INTERVAL_MS = 2_147_483_647;

/**
 * Reads a file.
 * @param name of the file, for messages
 * @throws SimulationFileError
 */
export function parseSimulation(text: string, name: string): readonly SimulatedDevice[] {
  const mistakes: string[] = [];
  const complain = (line: number, what: string): void => void mistakes.push(`${name}:${line}: ${what}`);
  const sections = sectionsOf(text, complain);
  const devices = devicesOf(sections, complain);
  if (devices.length === 0 && mistakes.length === 0) {
    complain(1, "there is no [device NAME], and so nothing to simulate");
  }
  if (mistakes.length > 0) throw new SimulationFileError(mistakes.sort(byLine));
  return devices;
}

function byLine(a: string, b: string): number {
  const lineOf = (mistake: string): number => Number(/:(\d+): /.exec(mistake)?.[1]);
  return lineOf(a) - lineOf(b);
}

type Complain = (line: number, what: string) => void;

function sectionsOf(text: string, complain: Complain): readonly Section[] {
  const sections: Section[] = [];
  let last: string | null = null;
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    if (/^\s*(#|$)/.test(written)) continue;
    const section = sections.at(-1);
    if (/^\s/.test(written)) {
      const before = last === null ? undefined : section?.settings.get(last);
      if (before === undefined)
        complain(line, "a line that begins with a space goes on with a value, and there is none");
      else section!.settings.set(last!, { ...before, value: `${before.value}\n${written.trim()}` });
      continue;
    }
    last = null;
    if (written.startsWith("[")) {
      sections.push(sectionOf(written.trim(), line, complain));
    } else if (section === undefined) {
      complain(line, "a setting needs a section above it, as [device thermometer]");
    } else {
      last = readSetting(section, written, line, complain);
    }
  }
  return sections;
}

function sectionOf(text: string, line: number, complain: Complain): Section {
  const [, kind = "", name = ""] = /^\[\s*(\S*)\s*(.*?)\s*\]$/.exec(text) ?? [];
  const settings = new Map<string, Setting>();
  if (kind === "message" && name === "") return { kind, name, line, settings };
  if (kind === "device" && name !== "") return { kind, name, line, settings };
  const close = nearest(kind, ["device", "message"]);
  const hint =
    close === null
      ? "there are [device NAME] and [message]"
      : `did you mean [${close === "device" ? "device NAME" : close}]?`;
  complain(line, kind === "device" ? "a device needs a name: [device thermometer]" : `${text} is not known: ${hint}`);
  // Its settings are looked at all the same.
  return { kind: close === "message" ? "message" : "device", name, line, settings };
}

/** Returns the name of the setting, when it is one. */
function readSetting({ kind, settings }: Section, text: string, line: number, complain: Complain): string | null {
  const [, name = "", value = ""] = /^([^=]*?)\s*=\s*(.*?)\s*$/.exec(text) ?? [];
  if (!text.includes("=")) {
    complain(line, `'${text.trim()}' is no setting: write name = value`);
    return null;
  }
  const known: readonly string[] = SETTINGS[kind];
  if (!known.includes(name)) {
    const close = nearest(name, known);
    const hint = close === null ? `there are ${known.join(", ")}` : `did you mean '${close}'?`;
    complain(line, `a ${kind} has no setting '${name}': ${hint}`);
    return null;
  }
  const before = settings.get(name);
  if (before === undefined) settings.set(name, { line, value });
  else complain(line, `'${name}' is in line ${before.line} already`);
  return before === undefined ? name : null;
}

function devicesOf(sections: readonly Section[], complain: Complain): readonly SimulatedDevice[] {
  const devices: SimulatedDevice[] = [];
  let messages: SimulatedMessage[] | null = null;
  const names = new Map<string, number>();
  for (const section of sections) {
    const reader = new SectionReader(section, complain);
    if (section.kind === "message") {
      if (messages === null) complain(section.line, "a [message] needs its [device NAME] above it");
      messages?.push(messageOf(reader));
      continue;
    }
    const before = names.get(section.name);
    if (before !== undefined) complain(section.line, `the device ${section.name} is in line ${before} already`);
    names.set(section.name, section.line);
    messages = [];
    devices.push(deviceOf(reader, section.name, messages));
  }
  return devices;
}

function deviceOf(reader: SectionReader, name: string, messages: readonly SimulatedMessage[]): SimulatedDevice {
  const count = reader.integer("count", 1, 1, MOST_DEVICES);
  const clientId = reader.template("client-id") ?? parseTemplate(`${name}-\${n}`);
  if (count > 1 && clientId.isConstant) {
    reader.complain("client-id", `is the same for each device, and they would throw each other out: put \${n} into it`);
  }
  const subscriptions = reader.templates("subscribe", (topic) => topicFilterFault(topic, Number.POSITIVE_INFINITY));
  return {
    ...{ name, count, clientId, messages, subscriptions },
    username: reader.template("username"),
    password: reader.template("password"),
    will: noteOf(reader, "will"),
    birth: noteOf(reader, "birth"),
    subscriptionQos: reader.qos("subscribe-qos"),
  };
}

function noteOf(reader: SectionReader, kind: "will" | "birth"): SimulatedNote | null {
  const topic = reader.topic(`${kind}-topic`);
  const payload = reader.template(`${kind}-payload`) ?? parseTemplate("");
  const [qos, retain] = [reader.qos(`${kind}-qos`), reader.flag(`${kind}-retain`)];
  if (topic !== null) return { topic, payload, qos, retain };
  for (const setting of ["payload", "qos", "retain"]) {
    if (reader.has(`${kind}-topic`)) break;
    if (reader.has(`${kind}-${setting}`)) reader.complain(`${kind}-${setting}`, `needs ${kind}-topic`);
  }
  return null;
}

function messageOf(reader: SectionReader): SimulatedMessage {
  const topic = reader.topic("topic", true) ?? parseTemplate("-");
  const intervalMs = reader.duration("interval", 1000, 1);
  return {
    ...{ topic, intervalMs },
    payload: reader.template("payload") ?? parseTemplate(""),
    jitterMs: reader.jitter("jitter", intervalMs),
    qos: reader.qos("qos"),
    retain: reader.flag("retain"),
  };
}

/** Reads values of one section, and says what is wrong with them. */
class SectionReader {
  readonly #section: Section;
  readonly #complain: Complain;

  constructor(section: Section, complain: Complain) {
    this.#section = section;
    this.#complain = complain;
  }

  has(name: string): boolean {
    return this.#section.settings.has(name);
  }

  complain(name: string, what: string): void {
    this.#complain(this.#section.settings.get(name)?.line ?? this.#section.line, `${name} ${what}`);
  }

  #value(name: string): string | undefined {
    return this.#section.settings.get(name)?.value;
  }

  template(name: string): Template | null {
    const value = this.#value(name);
    return value === undefined ? null : this.#parsed(name, value);
  }

  #parsed(name: string, text: string): Template | null {
    try {
      return parseTemplate(text);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.complain(name, `is not understood: ${error.message}`);
      return null;
    }
  }

  topic(name: string, isRequired: boolean = false): Template | null {
    const value = this.#value(name);
    if (value === undefined && isRequired) this.complain(name, "is missing: where is it published?");
    if (value === undefined) return null;
    return this.#topic(name, value, (topic) => topicNameFault(topic, Number.POSITIVE_INFINITY));
  }

  /** What stands in holes cannot be known here; a letter stands for it. */
  #topic(name: string, text: string, faultOf: (topic: string) => string | null): Template | null {
    const fault = faultOf(text.replace(/\$\$|\$\{[^}]*\}/g, "x"));
    if (fault !== null) this.complain(name, `'${text}' is not allowed: ${fault}`);
    return this.#parsed(name, text);
  }

  /** Several, with spaces between them. */
  templates(name: string, faultOf: (topic: string) => string | null): readonly Template[] {
    // A space within a hole is none between two.
    const texts = this.#value(name)?.match(/(?:\$\{[^}]*\}|\S)+/g) ?? [];
    return texts.flatMap((text) => this.#topic(name, text, faultOf) ?? []);
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const value = this.#value(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    this.complain(name, `is '${value}'; allowed are ${min} to ${max}`);
    return fallback;
  }

  qos(name: string): Qos {
    return this.integer(name, 0, 0, 2) as Qos;
  }

  flag(name: string): boolean {
    const value = this.#value(name);
    if (value === undefined || value === "false") return false;
    if (value !== "true") this.complain(name, `is '${value}'; allowed are true and false`);
    return true;
  }

  /** A time as 250ms, 5s, 1.5m, 2h or 1d, in milliseconds. */
  duration(name: string, fallback: number, min: number): number {
    const value = this.#value(name);
    if (value === undefined) return fallback;
    const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(value) ?? [];
    const ms = Number(amount) * (Object.hasOwn(UNITS, unit) ? UNITS[unit]! : Number.NaN);
    if (amount !== "" && ms >= min && ms <= LONGEST_INTERVAL_MS) return ms;
    this.complain(name, `is '${value}'; write a time from ${min}ms to 24d, as 250ms, 5s, 1.5m or 2h`);
    return fallback;
  }

  /** A time, or a part of the interval as 20%. */
  jitter(name: string, intervalMs: number): number {
    const value = this.#value(name);
    if (value === undefined) return 0;
    const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(value)?.[1];
    const ms = percent === undefined ? this.duration(name, 0, 0) : (intervalMs * Number(percent)) / 100;
    if (ms <= intervalMs) return ms;
    this.complain(name, `is '${value}', more than the interval`);
    return 0;
  }
}
