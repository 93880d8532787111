// What other parts of the program call an error, the catalogue has under the same name and number.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientErrorCode, MOSQ_ERRORS } from "../../src/client/index.ts";
import { explanationOf } from "../../src/explain/index.ts";

/** Every code of a ClientError: one that is missing here does not compile. */
const CLIENT_CODES: Readonly<Record<ClientErrorCode, true>> = {
  aborted: true,
  "authentication-failed": true,
  closed: true,
  "connection-lost": true,
  "connection-refused": true,
  "disconnected-by-server": true,
  dropped: true,
  expired: true,
  "invalid-argument": true,
  "keep-alive-timeout": true,
  "lookup-failed": true,
  "network-error": true,
  "no-packet-identifier": true,
  "not-connected": true,
  "not-supported": true,
  "packet-too-large": true,
  "protocol-error": true,
  "proxy-failed": true,
  "publish-refused": true,
  "qos-not-supported": true,
  "queue-full": true,
  "retain-not-supported": true,
  "store-failed": true,
  "store-locked": true,
  "subscribe-refused": true,
  "timed-out": true,
  "tls-failed": true,
  "unsubscribe-refused": true,
};

test("every code of a ClientError has an explanation", () => {
  for (const code of Object.keys(CLIENT_CODES)) assert.notEqual(explanationOf({ space: "client", code }), null, code);
});

test("libmosquitto's numbers have the client library's names", () => {
  for (const { rc, name } of MOSQ_ERRORS)
    assert.equal(explanationOf({ space: "mosquitto", code: rc })?.name, `MOSQ_ERR_${name}`);
});
