// Runs files of tests with node:test and prints what a reader wants: a line for each file, and everything about what
// failed. Which files, what surrounds them and how it ends is for the caller.
import { relative } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";
import { ROOT } from "./project.mjs";

/** Node's summary of a file comes as diagnostics in the end: "tests 12". */
const COUNT = /^(tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/;
const DURATION = /^duration_ms /;
/** How long a file may take to end once it has been told to. */
const GRACE_MS = 2000;
/** Of a failure's text so many characters from its beginning, of a failed file's output from its end. */
const TEXT_CHARACTERS = 6000;

/**
 * @typedef {object} Outcome
 * @property {Map<string, number>} counts node's own of all files: "tests", "pass", ...
 * @property {Map<string, number>} skipped how many tests, by reason
 */

/**
 * @param {object} options
 * @param {readonly string[]} options.files compiled tests, absolute paths
 * @param {number} options.limitMs what a file may take; then it is ended and has failed
 * @param {number} options.concurrency files at a time
 * @param {(line: string) => void} options.write
 * @returns {Promise<Outcome>}
 */
export async function runTests({ files, limitMs, concurrency, write }) {
  // The limit of node:test is for a file in some versions of Node.js and for each test in others, so there is our own.
  process.execArgv.push("--import", new URL(`./test-limit.mjs?ms=${limitMs}`, import.meta.url).href);
  /** @type {Outcome} */
  const outcome = { counts: new Map(), skipped: new Map() };
  const waiting = files.values();
  const work = async () => {
    for (const file of waiting) {
      const report = await runFile(file, limitMs);
      for (const line of report.lines()) write(line);
      add(report.counts, outcome.counts);
      add(report.skipped, outcome.skipped);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return outcome;
}

/**
 * @param {ReadonlyMap<string, number>} from
 * @param {Map<string, number>} to
 */
function add(from, to) {
  for (const [name, count] of from) to.set(name, (to.get(name) ?? 0) + count);
}

/**
 * @param {string} file
 * @param {number} limitMs
 */
async function runFile(file, limitMs) {
  const report = new FileReport(file);
  // A loop without end does not obey `test-limit.mjs`.
  const signal = AbortSignal.timeout(limitMs + GRACE_MS);
  for await (const event of run({ files: [file], signal })) report.take(event.type, event.data);
  report.end();
  return report;
}

/** One file of tests, as its events come in. */
class FileReport {
  /** @type {Map<string, number>} */
  counts = new Map();
  /** @type {Map<string, number>} */
  skipped = new Map();
  /** @type {string[]} names of the tests that are told of, outermost first */
  #path = [];
  /** @type {Set<string>} names of the tests that have begun and not ended */
  #running = new Set();
  /** @type {string[]} a text for each failure */
  #failures = [];
  #output = "";
  #startedMs = performance.now();
  #seconds = 0;

  /** @param {string} file its path */
  constructor(file) {
    this.file = file;
    this.name = relative(ROOT, file)
      .replace(/^build\//, "")
      .replace(/\.js$/, ".ts");
  }

  /**
   * @param {string} type
   * @param {*} data differs between types, and between versions of Node.js
   */
  take(type, data) {
    if (type === "test:stdout" || type === "test:stderr") this.#output += data.message;
    else if (type === "test:diagnostic") this.#diagnostic(data.message);
    else if (type === "test:start") this.#path.splice(data.nesting, Number.POSITIVE_INFINITY, data.name);
    else if (type === "test:dequeue") this.#running.add(data.name);
    else if (type === "test:complete") this.#running.delete(data.name);
    else if (type === "test:fail" && data.todo === undefined) this.#failed(data);
    else if (type === "test:pass" && data.skip !== undefined) this.#skip(data.skip);
  }

  end() {
    this.#seconds = (performance.now() - this.#startedMs) / 1000;
  }

  /** @param {string} message */
  #diagnostic(message) {
    const [, name, count] = COUNT.exec(message) ?? [];
    if (name !== undefined) this.counts.set(name, Number(count));
    else if (!DURATION.test(message)) this.#output += `${message}\n`;
  }

  /** @param {*} data */
  #failed({ name, nesting, details: { error } }) {
    if (error.failureType === "subtestsFailed") return;
    const names = name === this.file ? ["The file"] : [...this.#path.slice(0, nesting), name];
    this.#failures.push(`${names.join(" > ")}\n${indented(reasonOf(error))}`);
  }

  /** @param {string | true} why */
  #skip(why) {
    add(new Map([[why === true || why === "" ? "no reason given" : why, 1]]), this.skipped);
  }

  /** @returns {string[]} */
  lines() {
    const isFailed = this.#failures.length > 0;
    const counts = ["pass", "fail", "cancelled", "skipped"].flatMap((name) => {
      const count = this.counts.get(name) ?? 0;
      return count > 0 ? [`${count} ${name}`] : [];
    });
    const seconds = this.#seconds.toFixed(1).padStart(5);
    const first = `${isFailed ? "FAIL" : "ok  "}  ${this.name.padEnd(46)} ${seconds} s  ${counts.join(", ")}`;
    if (!isFailed) return [first];
    const rest = [...this.#failures];
    if (this.#running.size > 0) rest.push(`Not done: ${[...this.#running].join(", ")}`);
    const output = this.#output.trimEnd().slice(-TEXT_CHARACTERS);
    if (output !== "") rest.push(`Its output:\n${output}`);
    return [first, ...rest.map(indented), ""];
  }
}

/** @param {{ cause?: unknown, message: string, exitCode?: number, signal?: string }} error */
function reasonOf(error) {
  if (typeof error.exitCode === "number") return `ended with exit code ${error.exitCode}`;
  if (typeof error.signal === "string") return `was ended by ${error.signal}`;
  const cause = error.cause ?? error.message;
  if (typeof cause === "string") return cause;
  const text = cause instanceof Error && cause.stack !== undefined ? cause.stack : inspect(cause);
  return text.replace(/\n +at .*\bnode:internal\b.*/g, "").slice(0, TEXT_CHARACTERS);
}

/** @param {string} text */
function indented(text) {
  return text.replace(/^(?=.)/gm, "      ");
}
