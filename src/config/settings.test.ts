import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_CONFIG } from "./config.ts";
import { applySetting, SETTING_NAMES, SettingError, settingForm } from "./settings.ts";

for (const [name, text, field, value] of [
  ["max_inflight_messages", "0", "maximumInflightMessages", 0],
  ["max_inflight_messages", "65535", "maximumInflightMessages", 65_535],
  ["max_inflight_messages", "7", "receiveMaximum", 7],
  ["max_inflight_messages", "0", "receiveMaximum", 65_535],
  ["lacewing_connect_timeout", "5", "connectTimeoutMs", 5000],
  ["lacewing_store_timeout", "7", "storeTimeoutMs", 7000],
  ["lacewing_max_queue_memory", "2000000", "maximumQueueMemoryBytes", 2_000_000],
  ["lacewing_max_topic_levels", "8", "maximumTopicLevels", 8],
  ["lacewing_response_information", "answers/", "responseInformation", "answers/"],
  ["retain_available", "false", "retainAvailable", false],
  ["allow_duplicate_messages", "true", "allowDuplicateMessages", true],
  ["persistent_client_expiration", "2w", "maximumSessionExpirySeconds", 1_209_600],
  ["persistent_client_expiration", "30s", "maximumSessionExpirySeconds", 30],
] as const) {
  test(`${name} ${text} sets ${field}`, () => {
    assert.equal(applySetting(DEFAULT_CONFIG, name, text).broker[field], value);
  });
}

for (const [name, text, field, value] of [
  ["max_qos", "1", "maximumQos", 1],
  ["auto_id_prefix", "device-", "autoIdPrefix", "device-"],
  ["max_topic_alias", "3", "topicAliasMaximum", 3],
] as const) {
  test(`${name} ${text} sets ${field} of every listener`, () => {
    for (const { entrance } of applySetting(DEFAULT_CONFIG, name, text).listeners) assert.equal(entrance[field], value);
  });
}

for (const [name, text, said] of [
  ["max_inflight_messages", "65536", /a whole number from 0 to 65535/],
  ["max_inflight_messages", "-1", /a whole number/],
  ["max_inflight_messages", "1e3", /a whole number/],
  ["max_inflight_messages", "", /a whole number/],
  ["max_qos", "3", /from 0 to 2/],
  ["retain_available", "yes", /true or false/],
  ["persistent_client_expiration", "14", /with a unit/],
  ["persistent_client_expiration", "0s", /with a unit/],
  ["persistent_client_expiration", "200y", /with a unit/],
  ["persistence_location", "", /a folder/],
  ["accept_protocol_versions", "4,6", /some of 3, 4 and 5/],
  ["accept_protocol_versions", "4,4", /some of 3, 4 and 5/],
  ["lacewing_connect_timeout", "0", /from 1 to 3600/],
  ["lacewing_store_timeout", "3601", /from 1 to 3600/],
  ["lacewing_response_information", "a/#", /without wildcards/],
  ["lacewing_durability", "interval:0", /interval:MS/],
  ["lacewing_durability", "sometimes", /always, none/],
  ["max_qeued_messages", "1", /unknown setting "max_qeued_messages"/],
  ["constructor", "1", /unknown setting/],
] as const) {
  test(`${name} "${text}" is refused with what is allowed`, () => {
    assert.throws(
      () => applySetting(DEFAULT_CONFIG, name, text),
      (error) => error instanceof SettingError && said.test(error.message),
    );
  });
}

test("accept_protocol_versions leaves out the others", () => {
  for (const { entrance } of applySetting(DEFAULT_CONFIG, "accept_protocol_versions", "5,4").listeners)
    assert.deepEqual(entrance.versions, [4, 5]);
});

test("lacewing_durability and persistence", () => {
  const config = applySetting(
    applySetting(DEFAULT_CONFIG, "lacewing_durability", "interval:250"),
    "persistence",
    "true",
  );
  assert.deepEqual(config.persistence.durability, { mode: "interval", intervalMs: 250 });
  assert.equal(config.persistence.enabled, true);
});

test("a setting changes nothing else and leaves the given Config alone", () => {
  const before = structuredClone(DEFAULT_CONFIG);
  const { maximumPacketSize, ...rest } = applySetting(DEFAULT_CONFIG, "max_packet_size", "50").broker;
  assert.equal(maximumPacketSize, 50);
  const { maximumPacketSize: _, ...untouched } = DEFAULT_CONFIG.broker;
  assert.deepEqual(rest, untouched);
  assert.deepEqual(DEFAULT_CONFIG, before);
});

test("every setting says what its values look like", () => {
  for (const name of SETTING_NAMES) assert.match(settingForm(name)!, /\S/);
});
