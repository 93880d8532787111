// What speaks, by the first bytes of its answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { httpDateOf, isSaidInTls, type Reply, speakerOf } from "./greeting.ts";

const said = (text: string): Reply => ({ bytes: Buffer.from(text, "latin1"), end: "data", error: null });

for (const [text, speaker] of [
  ["\x20\x02\x00\x00", "mqtt"],
  ["\x20\x03\x00\x87\x00", "mqtt"],
  ["\x15\x03\x01\x00\x02\x02\x46", "tls"],
  ["\x16\x03\x03\x00\x7a", "tls"],
  ["HTTP/1.1 101 Switching Protocols\r\n", "websocket"],
  ["HTTP/1.1 400 Bad Request\r\n", "http"],
  ["HTTP/1.0 200 OK\r\n", "http"],
  ["SSH-2.0-OpenSSH_9.2\r\n", "other"],
  ["\x20\x00", "other"],
] as const)
  test(`the first bytes ${JSON.stringify(text)} are ${speaker}`, () => assert.equal(speakerOf(said(text)), speaker));

test("no bytes at all", () => {
  const bytes = new Uint8Array(0);
  assert.equal(speakerOf({ bytes, end: "silent", error: null }), "silent");
  assert.equal(speakerOf({ bytes, end: "closed", error: "ECONNRESET" }), "closed");
});

test("the date of an answer of HTTP", () => {
  const date = "Thu, 29 Jul 2021 04:02:53 GMT";
  assert.equal(httpDateOf(said(`HTTP/1.1 400 Bad Request\r\nDate: ${date}\r\n\r\n`)), Date.parse(date));
  assert.equal(httpDateOf(said("HTTP/1.1 400 Bad Request\r\n\r\n")), null);
  assert.equal(httpDateOf(said("HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n")), null);
});

test("errors that only TLS can say", () => {
  assert.ok(isSaidInTls("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE") && isSaidInTls("ERR_SSL_TLSV1_UNRECOGNIZED_NAME"));
  assert.ok(!isSaidInTls("ECONNRESET") && !isSaidInTls("ERR_SSL_WRONG_VERSION_NUMBER"));
});
