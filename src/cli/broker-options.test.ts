import assert from "node:assert/strict";
import { test } from "node:test";
import { BROKER_COMMAND, configOf } from "./broker-options.ts";
import { CommandLineError, helpText, parseCommandLine } from "./command-line.ts";

function config(...args: string[]): ReturnType<typeof configOf> {
  return configOf(parseCommandLine(BROKER_COMMAND, args));
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
  assert.deepEqual(persistence, { enabled: true, location: "data", durability: { mode: "always" } });
  assert.equal(broker.maximumQueuedMessages, 0);
});

test("queues are bounded again without persistence, or as asked", () => {
  assert.equal(config("--set", "persistence=false").broker.maximumQueuedMessages, 1000);
  assert.equal(config("--set", "max_queued_messages=5").broker.maximumQueuedMessages, 5);
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
  ["max_qued_messages=1", /Did you mean max_queued_messages\?/],
  ["max_qos=9", /from 0 to 2/],
  ["max_qos", /NAME=VALUE/],
] as const) {
  test(`--set ${text} is refused`, () => {
    assert.throws(
      () => config("--set", text),
      (error) => error instanceof CommandLineError && said.test(error.message),
    );
  });
}

test("the help names every option and setting", () => {
  const text = helpText(BROKER_COMMAND);
  for (const option of Object.values(BROKER_COMMAND.options)) assert.ok(text.includes(`--${option.long}`));
  assert.match(text, /max_queued_messages \(/);
});
