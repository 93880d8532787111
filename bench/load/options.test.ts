// The generator's options: letters of mload.c, ranges, contradictions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { helpText, OptionError, parseLoadOptions } from "./options.ts";

test("letters and names mean the same", () => {
  const letters = parseLoadOptions(
    "-p 1 -P 2 -S 3 -q 1 -l 4 -w 5 -n 6 -d 7.5 -R 8 -v 5 -i 9 -f -W -r -t 10 -N x -j".split(" "),
  );
  const names = parseLoadOptions(
    (
      "--port 1 --publishers 2 --subscribers 3 --qos 1 --payload 4 --window 5 --messages 6 --duration 7.5 --rate 8 " +
      "--version 5 --pid 9 --fan-out --wildcard --retain --limit 10 --label x --json"
    ).split(" "),
  );
  assert.deepEqual(letters, names);
  assert.equal(letters.publishers, 2);
  assert.equal(letters.duration, 7.5);
  assert.equal(letters["fan-out"], true);
});

test("without options one publisher, one subscriber, QoS 0, MQTT 3.1.1", () => {
  const { publishers, subscribers, qos, version, tls, messages } = parseLoadOptions([]);
  assert.deepEqual(
    { publishers, subscribers, qos, version, tls, messages },
    {
      publishers: 1,
      subscribers: 1,
      qos: 0,
      version: 4,
      tls: false,
      messages: 100_000,
    },
  );
});

test("--ca and --insecure imply --tls; --offline implies QoS 1", () => {
  assert.equal(parseLoadOptions(["--ca", "ca.pem"]).tls, true);
  assert.equal(parseLoadOptions(["--insecure"]).tls, true);
  assert.equal(parseLoadOptions(["--offline"]).qos, 1);
  assert.equal(parseLoadOptions(["--offline", "-q", "2"]).qos, 2);
});

for (const [args, why] of [
  ["-q 3", /--qos is "3"; allowed is 0 to 2/],
  ["-p zero", /--port is "zero"/],
  ["-n 1.5", /--messages/],
  ["-S 2", /--fan-out or --shared/],
  ["--offline -g", /--offline/],
  ["--subscriptions 10", /100 or more/],
  ["-q 1 -w 70000", /packet identifiers/],
  ["--no-such", /no-such/],
  ["stray", /stray/],
] as const)
  test(`${args} is refused with a reason`, () => {
    assert.throws(
      () => parseLoadOptions(args.split(" ")),
      (error) => error instanceof OptionError && why.test(error.message),
    );
  });

test("the help names every option once", () => {
  for (const name of Object.keys(parseLoadOptions([])))
    assert.equal(helpText().split(`--${name} `).length - 1, 1, name);
});
