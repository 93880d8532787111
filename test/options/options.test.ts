// Each option of docs/configuration.md is tested through a configuration file and a real connection: here, beside mosquitto, or
// where the table at the end says.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OPTION_GROUPS } from "../../src/config/index.ts";
import { SETTINGS } from "../beside-mosquitto/settings.ts";
import { testWithPeers } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";
import { type OptionRun, startOptionBroker } from "./option-run.ts";
import { CROWD, MEMORY, QUEUES } from "./runs/bounds.ts";
import { KEEPING, KEEPING_SOURCES } from "./runs/keeping.ts";
import { DEFAULT_LISTENER, LISTENERS } from "./runs/listeners.ts";
import { JSON_LOG, LOG, OWN } from "./runs/own.ts";
import { RULES, TLS } from "./runs/secured.ts";

const RUNS: readonly OptionRun[] = [
  CROWD,
  QUEUES,
  MEMORY,
  KEEPING,
  KEEPING_SOURCES,
  DEFAULT_LISTENER,
  LISTENERS,
  OWN,
  LOG,
  JSON_LOG,
  RULES,
  TLS,
];

for (const run of RUNS) {
  testWithPeers(`options: ${run.title}`, run.prepare === undefined ? [] : ["openssl"], async (context) => {
    const broker = await startOptionBroker(context, run);
    for (const [name, check] of Object.entries(run.checks)) await context.test(name, () => check(broker));
  });
}

/** Options whose effect the situations beside mosquitto show: the situation. */
const BESIDE: Readonly<Record<string, string>> = {
  acl_file: "rules: version 5",
  allow_anonymous: "nobody",
  allow_duplicate_messages: "allow_duplicate_messages true",
  allow_zero_length_clientid: "allow_zero_length_clientid false",
  auto_id_prefix: "auto_id_prefix and clientid_prefixes",
  clientid_prefixes: "auto_id_prefix and clientid_prefixes",
  max_connections: "max_connections",
  max_inflight_messages: "max_inflight_messages and max_queued_messages",
  max_keepalive: "max_keepalive",
  max_packet_size: "max_packet_size: version 5",
  max_qos: "max_qos: version 5",
  max_queued_messages: "max_inflight_messages and max_queued_messages",
  max_topic_alias: "max_topic_alias 0",
  message_size_limit: "message_size_limit",
  mount_point: "mount_point",
  password_file: "a wrong password",
  per_listener_settings: "the rules of one listener, and none at another",
  persistent_client_expiration: "persistent_client_expiration and a 5.0 client that stays longer",
  queue_qos0_messages: "queue_qos0_messages",
  retain_available: "retain_available false: version 5",
  upgrade_outgoing_qos: "upgrade_outgoing_qos",
  use_username_as_clientid: "use_username_as_clientid",
};

/** Options whose effect a connection cannot show, or not in time: the test that shows it, and why. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, why: string]>> = {
  user: ["test/end-to-end/leaving-root.test.ts", "only root can become another user"],
  set_tcp_nodelay: ["test/transport/settings.test.ts", "what TCP does is not seen by its peer"],
  retain_expiry_interval: ["test/conformance/mosquitto-options.test.ts", "its least value is a minute"],
  lacewing_max_queue_memory: ["test/store/lmdb-store.test.ts", "its least value is a million bytes"],
  lacewing_store_timeout: ["test/contracts/failing-store.test.ts", "it needs a disk that stalls"],
};

/** Groups whose options have tests of their own: the files that name each of them. */
const GROUPS_OF_OTHERS: Readonly<Record<string, RegExp>> = {
  Bridges: /^test\/bridge\//,
  "Limits against floods": /^test\/fault-classes\/flood-limits\.test\.ts$/,
};

const ours = [...OPTION_GROUPS]
  .filter(([group]) => !Object.hasOwn(GROUPS_OF_OTHERS, group))
  .flatMap(([, options]) => options)
  .filter(({ standing }) => standing !== "not applicable");

const filesOfTests = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path: `test/${path}`, text: readFileSync(join(ROOT, "test", path), "utf8") }));

/** Whether a configuration has the option, by any of its names. */
function has(lines: readonly string[], name: string): boolean {
  return lines.some((line) => line.split(" ")[0] === name);
}

test("every option of the table has a test", () => {
  const checked = new Set(RUNS.flatMap(({ checks }) => Object.keys(checks)));
  const untested = ours
    .map(({ name }) => name)
    .filter((name) => !checked.has(name) && !(name in BESIDE) && !(name in ELSEWHERE));
  assert.deepEqual(untested, []);
});

test("every option of the other groups is set by a test of theirs", () => {
  for (const [group, place] of Object.entries(GROUPS_OF_OTHERS)) {
    const said = filesOfTests.filter(({ path }) => place.test(path)).map(({ text }) => text);
    const untested = (OPTION_GROUPS.get(group) ?? [])
      .filter(({ standing }) => standing !== "not applicable")
      .map(({ name }) => name)
      .filter((name) => !said.some((text) => text.includes(name)));
    assert.deepEqual(untested, [], group);
  }
});

test("what is said to test an option has it in its configuration", () => {
  for (const { title, lines, checks } of RUNS)
    for (const name of Object.keys(checks)) assert.ok(has(lines, name), `${title}: ${name}`);
  for (const [name, situation] of Object.entries(BESIDE)) {
    const setting = SETTINGS.find(
      ({ lines, situations }) => has(lines, name) && situations.some((played) => played.name === situation),
    );
    assert.ok(setting, `beside mosquitto: ${name}, ${situation}`);
  }
  for (const [name, [file]] of Object.entries(ELSEWHERE))
    assert.ok(readFileSync(join(ROOT, file), "utf8").length > 0, name);
});
