/** Shows messages: as payload, with topic, in a format, as JSON lines, or each topic on a line of its own. */
import type { IncomingMessage } from "../client/index.ts";
import { now } from "../observe/index.ts";
import { writeFormatted } from "./format.ts";
import type { OutputArguments } from "./options/output-options.ts";
import type { ToolOutput } from "./tool.ts";

/** Topics that --watch gives a line of their own; more share the last one. */
const MOST_WATCHED = 10_000;

/** Shows messages one after the other. */
export class MessageView {
  readonly #args: OutputArguments;
  readonly #output: ToolOutput;
  /** Lines of the screen by topic, when it is watched. */
  readonly #lines: Map<string, number> | null;

  /** @param watched the broker's name, when each topic is to have a line of the screen */
  constructor(args: OutputArguments, output: ToolOutput, watched: string | null = null) {
    this.#args = args;
    this.#output = output;
    this.#lines = watched === null ? null : new Map();
    if (watched !== null) output.out.write(`\x1b[2J\x1b[1;1HBroker: ${watched}\n`);
  }

  show(message: IncomingMessage): void {
    this.#goTo(message.topicName);
    const { format, pretty, json, verbose } = this.#args;
    const { out, complain } = this.#output;
    if (json) {
      out.write(`${jsonLine(message)}\n`);
    } else if (format !== null) {
      writeFormatted(format, message, now(), pretty, { write: (piece) => out.write(piece), complain });
      this.#endLine();
    } else {
      this.#showPlain(message, verbose);
    }
    if (this.#lines !== null) out.write(`\x1b[${this.#lines.size + 1};1H\n`);
  }

  #showPlain({ topicName, payload }: IncomingMessage, verbose: boolean): void {
    const { out } = this.#output;
    const isEmpty = payload.length === 0;
    // As mosquitto_sub: an empty message is nothing, or (null) beside its topic, and with -N nothing at all.
    if (isEmpty && (!verbose || this.#args.noNewline)) return;
    if (verbose) out.write(`${topicName} `);
    out.write(isEmpty ? "(null)" : payload);
    this.#endLine();
  }

  #endLine(): void {
    if (!this.#args.noNewline) this.#output.out.write("\n");
  }

  #goTo(topicName: string): void {
    if (this.#lines === null) return;
    let line = this.#lines.get(topicName);
    if (line === undefined) {
      line = Math.min(this.#lines.size, MOST_WATCHED - 1) + 2;
      if (this.#lines.size < MOST_WATCHED) this.#lines.set(topicName, line);
    }
    // What stood there may be longer.
    this.#output.out.write(`\x1b[${line};1H\x1b[K`);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message as JSON that any program can read: what is not UTF-8 is in base64. */
function jsonLine({ topicName, payload, qos, retain, packetId, properties }: IncomingMessage): string {
  const { correlationData, ...others } = properties;
  const shown = { ...others, ...(correlationData !== undefined && bytesOf("correlationData", correlationData)) };
  return JSON.stringify({
    time: new Date().toISOString(),
    topic: topicName,
    qos,
    retain,
    ...(qos > 0 && { packetId }),
    ...bytesOf("payload", payload),
    ...(Object.keys(shown).length > 0 && { properties: shown }),
  });
}

function bytesOf(name: string, bytes: Uint8Array): Record<string, string> {
  try {
    return { [name]: UTF8.decode(bytes) };
  } catch {
    return { [`${name}Base64`]: Buffer.from(bytes).toString("base64") };
  }
}
