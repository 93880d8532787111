import assert from "node:assert/strict";
import { test } from "node:test";
import { type Config, ConfigError } from "../config/index.ts";
import { BROKER_COMMAND, configErrorText, configOf, MOSQUITTO_COMMAND } from "./broker-options.ts";
import { CommandLineError, helpText, parseCommandLine } from "./command-line.ts";

function config(...args: string[]): Config {
  return configOf(parseCommandLine(BROKER_COMMAND, args)).config;
}

test("without options: both loopback addresses, anonymous, persistent, IPv6 only where there is any", () => {
  const { listeners, persistence, broker } = config();
  assert.deepEqual(
    listeners.map(({ host, port, allowAnonymous, isOptional }) => ({ host, port, allowAnonymous, isOptional })),
    [
      { host: "127.0.0.1", port: 1883, allowAnonymous: true, isOptional: false },
      { host: "::1", port: 1883, allowAnonymous: true, isOptional: true },
    ],
  );
  assert.deepEqual(persistence, {
    enabled: true,
    location: "data",
    mosquittoFile: "data/mosquitto.db",
    hasStandIn: false,
    durability: { mode: "always" },
  });
  assert.equal(broker.maximumQueuedMessages, 0);
});

test("queues are bounded again without persistence, or as asked", () => {
  assert.equal(config("--set", "persistence=false").broker.maximumQueuedMessages, 1000);
  assert.equal(config("--set", "max_queued_messages=5").broker.maximumQueuedMessages, 5);
});

test("-p 0 is any free port, but not beside others and not in mosquitto's place", () => {
  assert.deepEqual(
    config("-p", "0").listeners.map(({ port }) => port),
    [0, 0],
  );
  const refused = { name: "CommandLineError", message: /^Invalid port specified \(0\)\. / };
  assert.throws(() => config("-v", "-p", "1888", "-p", "0"), refused);
  assert.throws(() => configOf(parseCommandLine(MOSQUITTO_COMMAND, ["-p", "0"]), { isMosquitto: true }), refused);
});

test("called by mosquitto's name its usage begins as mosquitto's, and names no command", () => {
  const text = helpText(MOSQUITTO_COMMAND);
  assert.match(text, /^Usage: mosquitto \[-c config_file\] \[-d\] \[-h\] \[-p port\] \[-v\]$/m);
  assert.doesNotMatch(text, /mosquitto help/);
});

test("a public address lets nobody in unless asked", () => {
  assert.equal(config("--host", "0.0.0.0").listeners[0]!.allowAnonymous, false);
  assert.equal(config("--host", "0.0.0.0", "--allow-anonymous").listeners[0]!.allowAnonymous, true);
  assert.equal(config("--host", "127.0.0.2").listeners[0]!.allowAnonymous, true);
  assert.equal(config("--host", "127.0.0.1.example.org").listeners[0]!.allowAnonymous, false);
});

test("-v logs everything", () => {
  assert.ok(config("-v").log.types.includes("debug"));
  assert.ok(!config().log.types.includes("debug"));
});

for (const [text, said] of [
  [
    "max_qued_messages=1",
    /^Error: .*Did you mean 'max_queued_messages'\?\nError found at --set max_qued_messages=1\.\n$/,
  ],
  ["max_qos=9", /^Error: .*from 0 to 2/],
] as const) {
  test(`--set ${text} is refused`, () => {
    assert.throws(
      () => config("--set", text),
      (error) => error instanceof ConfigError && said.test(configErrorText(error)),
    );
  });
}

test("--set without a value is refused", () => {
  assert.throws(
    () => config("--set", "max_qos"),
    (error) => error instanceof CommandLineError && /NAME=VALUE/.test(error.message),
  );
});

test("called by mosquitto's name all is as in mosquitto: nothing on disk, no reason strings", () => {
  const { persistence, broker } = configOf(parseCommandLine(BROKER_COMMAND, []), { isMosquitto: true }).config;
  assert.deepEqual([persistence.enabled, broker.maximumQueuedMessages, broker.reasonStrings], [false, 1000, false]);
});

test("a command line of mosquitto's with a port is as mosquitto, one with an option of ours is not", () => {
  const of = (...args: string[]) => {
    const { persistence, broker } = config(...args);
    return [persistence.enabled, broker.maximumQueuedMessages, broker.reasonStrings];
  };
  for (const line of ["-p 1884", "-v -p 1884 -p 1885", "-q -p 1884"])
    assert.deepEqual(of(...line.split(" ")), [false, 1000, false], line);
  for (const line of ["-v", "-p 0", "-p 1884 --set lacewing_durability=none", "-p 1884 --host 127.0.0.1"])
    assert.deepEqual(of(...line.split(" ")), [true, 0, true], line);
});

test("--host adds listeners, for which --set counts too", () => {
  const { listeners } = config("--host", "127.0.0.1", "--host", "127.0.0.2", "-p", "0", "--set", "max_qos=1");
  assert.deepEqual(
    listeners.map(({ host, port, entrance }) => [host, port, entrance.maximumQos]),
    [
      ["127.0.0.1", 0, 1],
      ["127.0.0.2", 0, 1],
    ],
  );
});

test("-p with --host are its ports, and nothing is said to be ignored", () => {
  const args = ["--host", "127.0.0.1", "-p", "1884", "-p", "1885"];
  const { config, notices } = configOf(parseCommandLine(BROKER_COMMAND, args));
  assert.deepEqual(
    config.listeners.map(({ port }) => port),
    [1884, 1885],
  );
  assert.ok(!notices.some(({ text }) => text.includes("ignored")));
});

test("the help names every option and setting", () => {
  const text = helpText(BROKER_COMMAND);
  for (const option of Object.values(BROKER_COMMAND.options)) assert.ok(text.includes(`--${option.long}`));
  assert.match(text, /max_queued_messages \(/);
  assert.match(text, /^ {2}-c, --config-file/m);
});
