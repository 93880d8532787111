/** libmosquitto's numbers: all of them, each with a name and words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MOSQ_ERR, MOSQ_ERRORS, strerror } from "./rc.ts";

test("-6 to 33 are all there, once", () => {
  const numbers = MOSQ_ERRORS.map(({ rc }) => rc).filter((rc) => rc < 100);
  assert.deepEqual(
    numbers,
    Array.from({ length: 40 }, (_, i) => i - 6),
  );
  for (const { rc, text } of MOSQ_ERRORS) assert.equal(strerror(rc), text);
});

test("the names have the numbers of mosquitto.h, where 2.0 and 2.1 differ those of 2.1", () => {
  const { SUCCESS, KEEPALIVE, CONN_LOST, TLS, ERRNO, EAI, PROXY, OVERSIZE_PACKET, RETAIN_NOT_SUPPORTED } = MOSQ_ERR;
  assert.deepEqual(
    [SUCCESS, CONN_LOST, TLS, ERRNO, EAI, PROXY, KEEPALIVE, OVERSIZE_PACKET],
    [0, 7, 8, 14, 15, 16, 19, 25],
  );
  assert.deepEqual(
    [RETAIN_NOT_SUPPORTED, MOSQ_ERR.TOPIC_ALIAS_INVALID, MOSQ_ERR.ADMINISTRATIVE_ACTION],
    [154, 148, 152],
  );
});

test("reason codes of 5.0 have words too, and what nobody knows says so", () => {
  assert.equal(strerror(0x87), "not authorized");
  assert.equal(strerror(0x8e), "session taken over");
  for (const rc of [99, 127, 255, -7, 1.5]) assert.equal(strerror(rc), `unknown error ${rc}`);
});
