// What is measured and what we aim for: a table. Must not know how a scenario is run or printed.
import type { Settings } from "./brokers/broker.ts";
import { USER } from "./brokers/rules.ts";
import type { Way } from "./generator.ts";

/** "times" compares with another broker, "at most" and "at least" are figures of Lacewing alone. */
export type Goal =
  | { readonly kind: "times"; readonly broker: string; readonly factor: number }
  | { readonly kind: "at most" | "at least"; readonly value: number };

export interface Row {
  /** A key of the generator's metrics. */
  readonly metric: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly goals: readonly Goal[];
}

export interface Scenario {
  readonly name: string;
  /** "load" is what only our own generator can do; "mload" falls back to it without a C compiler. */
  readonly generator: "mload" | "load";
  /** Set when only `mload` can do it, by that way. */
  readonly way?: Way;
  /** Protocol level of CONNECT. */
  readonly version: number;
  /** The generator's arguments but for the port, and how much it sends in an earnest and in a quick run. */
  readonly args: readonly string[];
  readonly amount: readonly string[];
  readonly quick: readonly string[];
  /** Sent before, to let a just-in-time compiler do its work; none where the state of a fresh process counts. */
  readonly warmUp: readonly string[] | undefined;
  /** How many times it is sent, each time by new clients; once where this is not set. */
  readonly warmUpRounds?: number;
  readonly settings: readonly Settings[];
  readonly rows: readonly Row[];
}

const BOTH: readonly Settings[] = ["fair", "defaults"];
/** For what the settings do not touch, or what bounded queues would only break. */
const FAIR: readonly Settings[] = ["fair"];
const SECONDS = ["-d", "1.2"];
const WARM_UP = ["-d", "0.8"];
/** Mosquitto takes 20 messages in flight of a 5.0 client, and so does who takes its place. */
const RECEIVE_MAXIMUM = 20;

function times(broker: string, factor: number): Goal {
  return { kind: "times", broker, factor };
}

function atMost(value: number): Goal {
  return { kind: "at most", value };
}

function atLeast(value: number): Goal {
  return { kind: "at least", value };
}

function rateRows(goals: readonly Goal[], metric: "inPerSecond" | "outPerSecond" = "inPerSecond"): readonly Row[] {
  const title = metric === "inPerSecond" ? "" : "deliveries";
  return [
    { metric, title, unit: "msg/s", better: "higher", goals },
    { metric: "brokerCpuUsPerMessage", title: "broker CPU", unit: "us/msg", better: "lower", goals: [] },
  ];
}

function flood(name: string, args: readonly string[], quick: readonly string[], rows: readonly Row[]): Scenario {
  const version = args.includes("-v") ? 5 : 4;
  return { name, generator: "mload", version, args, amount: SECONDS, quick, warmUp: WARM_UP, settings: BOTH, rows };
}

function pair(qos: number, timesMosquitto: number): Scenario {
  const goals = [times("mosquitto", timesMosquitto), times("aedes", 5)];
  return flood(`pair-q${qos}`, ["-q", `${qos}`], ["-n", "300"], rateRows(goals));
}

function pairV5(qos: number): Scenario {
  const window = qos === 0 ? [] : ["-w", `${RECEIVE_MAXIMUM}`];
  return flood(`v5-pair-q${qos}`, ["-v", "5", "-q", `${qos}`, ...window], ["-n", "300"], rateRows([]));
}

function pairs500(qos: number, timesMosquitto: number): Scenario {
  const args = ["-P", "500", "-S", "500", "-q", `${qos}`];
  const quick = ["-P", "20", "-S", "20", "-n", "300"];
  return flood(`500-pairs-q${qos}`, args, quick, rateRows([times("mosquitto", timesMosquitto)]));
}

function latency(pairs: number, qos: number): Scenario {
  return {
    name: `latency-${pairs}-q${qos}`,
    generator: "mload",
    version: 4,
    args: ["-P", `${pairs}`, "-S", `${pairs}`, "-q", `${qos}`, "-R", "10000"],
    amount: ["-n", "20000"],
    quick: ["-n", "300"],
    warmUp: ["-d", "3"],
    // What the compiler has assumed of the first clients it unlearns with the second; from the third on nothing is compiled any more.
    warmUpRounds: 3,
    settings: BOTH,
    rows: [
      { metric: "p99Ms", title: "p99", unit: "ms", better: "lower", goals: [atMost(5)] },
      { metric: "p50Ms", title: "p50", unit: "ms", better: "lower", goals: [] },
    ],
  };
}

/** A flood by TLS, by WebSocket or by a user under rules; in fair settings but for that. */
function floodBy(
  way: Way,
  name: string,
  args: readonly string[],
  quick: readonly string[],
  rows: readonly Row[],
): Scenario {
  return { ...flood(`${way}-${name}`, [...WAY_OPTIONS[way], ...args], quick, rows), way, settings: [way] };
}

const WAY_OPTIONS = { tls: ["-e"], websocket: ["-b"], users: ["-u", USER] } as const;

const FAN_OUT = ["-P", "1", "-S", "100", "-f", "-w", "100"];

function scenariosBy(way: Way, timesMosquitto: number): readonly Scenario[] {
  const goals = [times("mosquitto", timesMosquitto)];
  return [
    floodBy(way, "pair-q0", ["-q", "0"], ["-n", "300"], rateRows(goals)),
    floodBy(way, "pair-q1", ["-q", "1"], ["-n", "300"], rateRows(goals)),
    floodBy(way, "fan-out-100", FAN_OUT, ["-n", "20"], rateRows(goals, "outPerSecond")),
    {
      ...floodBy(
        way,
        "connects",
        ["-C", "3"],
        ["-d", "0.2"],
        [
          {
            metric: "connectsPerSecond",
            title: "opened and closed",
            unit: "1/s",
            better: "higher",
            goals: [times("mosquitto", 1)],
          },
          { metric: "cpuUsPerConnect", title: "broker CPU", unit: "us", better: "lower", goals: [] },
        ],
      ),
      amount: ["-d", "3"],
      // A handshake is much code that runs seldom: it is all compiled after some 4,000 of them.
      warmUp: ["-d", "6"],
    },
  ];
}

/** With 1,000 rules at least 0.9 of what the broker does without: with `--brokers lacewing,mosquitto,lacewing-open`. */
const UNDER_RULES: readonly Scenario[] = [0, 1].map((qos) =>
  floodBy(
    "users",
    `pair-q${qos}`,
    ["-q", `${qos}`],
    ["-n", "300"],
    rateRows([...(qos === 0 ? [times("lacewing-open", 0.9)] : []), times("mosquitto", 5)]),
  ),
);

const SUBSCRIPTION_ROWS: readonly Row[] = [
  { metric: "cpuRatio", title: "CPU, 100,000 : 100", unit: "times", better: "lower", goals: [atMost(2)] },
  { metric: "rateRatio", title: "slower, 100,000 : 100", unit: "times", better: "lower", goals: [atMost(2)] },
  { metric: "fewTopicsCpuRatio", title: "CPU ratio, 100 topics", unit: "times", better: "lower", goals: [] },
  { metric: "manyPerSecond", title: "rate with 100,000", unit: "msg/s", better: "higher", goals: [] },
  { metric: "manyCpuUs", title: "CPU with 100,000", unit: "us/msg", better: "lower", goals: [] },
  { metric: "subscribeSeconds", title: "subscribe all", unit: "s", better: "lower", goals: [] },
  { metric: "unsubscribeSeconds", title: "unsubscribe all", unit: "s", better: "lower", goals: [] },
  { metric: "kibPerSubscription", title: "memory of one", unit: "KiB", better: "lower", goals: [] },
];

/** What is kept on disk. A warm-up would leave its messages there, so the first second is a part of the run. */
const DURABLE: readonly Scenario[] = [
  {
    name: "durable-online-q1",
    generator: "mload",
    version: 4,
    args: ["-D", "-q", "1", "-P", "10", "-S", "10", "-w", "2000"],
    amount: ["-d", "4"],
    quick: ["-n", "300"],
    warmUp: undefined,
    settings: ["durable"],
    rows: rateRows([times("mosquitto", 5)]),
  },
  {
    name: "durable-queue-q1",
    generator: "load",
    version: 4,
    args: ["--offline", "-q", "1", "-P", "10", "-S", "1", "-w", "4000"],
    amount: ["-d", "4"],
    quick: ["-n", "300"],
    warmUp: undefined,
    settings: ["synced"],
    rows: [
      {
        metric: "fillPerSecond",
        title: "fill",
        unit: "msg/s",
        better: "higher",
        goals: [times("mosquitto", 50), atLeast(100_000)],
      },
      { metric: "drainPerSecond", title: "drain", unit: "msg/s", better: "higher", goals: [] },
      { metric: "drainPerFill", title: "drain : fill", unit: "times", better: "higher", goals: [atLeast(1)] },
    ],
  },
  {
    name: "durable-retained-q1",
    generator: "load",
    version: 4,
    args: ["-r", "-q", "1", "-P", "10", "-S", "0", "--topics", "1000", "-w", "1000"],
    amount: ["-d", "4"],
    quick: ["-n", "300"],
    warmUp: undefined,
    settings: ["synced"],
    rows: rateRows([atLeast(10_000)]),
  },
  {
    name: "durable-puback",
    generator: "load",
    version: 4,
    args: ["--offline", "-q", "1", "-P", "10", "-S", "1", "-R", "5000"],
    amount: ["-n", "20000"],
    quick: ["-n", "300"],
    warmUp: undefined,
    settings: ["synced"],
    rows: [
      { metric: "ackP99Ms", title: "p99", unit: "ms", better: "lower", goals: [atMost(10)] },
      { metric: "ackP50Ms", title: "p50", unit: "ms", better: "lower", goals: [] },
    ],
  },
];

export const SCENARIOS: readonly Scenario[] = [
  ...DURABLE,
  ...scenariosBy("tls", 2),
  ...scenariosBy("websocket", 3),
  ...UNDER_RULES,
  pair(0, 5),
  pair(1, 8),
  pair(2, 15),
  flood(
    "fan-out-100",
    ["-P", "1", "-S", "100", "-f", "-w", "100"],
    ["-n", "20"],
    rateRows([times("mosquitto", 10)], "outPerSecond"),
  ),
  flood(
    "fan-out-100-16KiB",
    ["-P", "1", "-S", "100", "-f", "-w", "20", "-l", "16384"],
    ["-n", "5"],
    rateRows([times("mosquitto", 1)], "outPerSecond"),
  ),
  pairs500(0, 5),
  pairs500(1, 1),
  pairV5(0),
  pairV5(1),
  pairV5(2),
  latency(1, 0),
  latency(1, 1),
  latency(10, 0),
  latency(10, 1),
  {
    name: "offline-q1",
    generator: "load",
    version: 4,
    args: ["--offline", "-q", "1", "-P", "10", "-S", "10"],
    amount: ["-n", "50000"],
    quick: ["-n", "200"],
    warmUp: ["-n", "5000"],
    settings: FAIR,
    rows: [
      { metric: "fillPerSecond", title: "fill queues", unit: "msg/s", better: "higher", goals: [] },
      { metric: "drainPerSecond", title: "drain queues", unit: "msg/s", better: "higher", goals: [] },
    ],
  },
  {
    name: "subscriptions",
    generator: "load",
    version: 4,
    args: [],
    amount: ["--subscriptions", "100000", "-d", "1.2"],
    quick: ["--subscriptions", "500", "-n", "300"],
    warmUp: undefined,
    settings: FAIR,
    rows: SUBSCRIPTION_ROWS,
  },
  {
    name: "idle",
    generator: "mload",
    version: 4,
    args: [],
    amount: ["-I", "9000"],
    quick: ["-I", "50", "-s", "0"],
    warmUp: undefined,
    settings: FAIR,
    rows: [
      {
        metric: "kibPerConnection",
        title: "resident, each of 9,000",
        unit: "KiB",
        better: "lower",
        goals: [atMost(8)],
      },
      { metric: "connectsPerSecond", title: "connects", unit: "1/s", better: "higher", goals: [] },
    ],
  },
];
