// Every error of the client explains itself, by what the server or the system said where it said something.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ClientError,
  type ClientErrorCode,
  ConnectionError,
  type ConnectionErrorCode,
  RequestError,
} from "./errors.ts";

/** All there are: one that is missing does not compile. */
const CODES: Readonly<Record<ClientErrorCode, true>> = {
  ...{ "connection-refused": true, "disconnected-by-server": true, "keep-alive-timeout": true, "protocol-error": true },
  ...{ "connection-lost": true, "lookup-failed": true, "tls-failed": true, "proxy-failed": true },
  ...{ "authentication-failed": true, "network-error": true, "not-connected": true, "queue-full": true, dropped: true },
  ...{ expired: true, "no-packet-identifier": true, "packet-too-large": true, "qos-not-supported": true },
  ...{ "retain-not-supported": true, "publish-refused": true, "subscribe-refused": true, "unsubscribe-refused": true },
  ...{ aborted: true, "timed-out": true, "not-supported": true, closed: true, "store-failed": true },
  ...{ "store-locked": true, "invalid-argument": true },
};

test("each code is explained, in English and in Chinese", async () => {
  for (const code of Object.keys(CODES) as ClientErrorCode[]) {
    const error = new ClientError({ code, rc: 1, message: `what happened to ${code}` });
    for (const language of ["en", "zh"] as const) {
      const { title, says, text } = await error.explain(language);
      assert.notEqual(title, "", code);
      assert.equal(says, error.message);
      assert.ok(text.includes(title) && text.includes(error.message), text);
    }
  }
});

function failed(code: ConnectionErrorCode, errno: string | null, reasonCode: number | null = null): ConnectionError {
  const cause = errno === null ? undefined : Object.assign(new Error(errno), { code: errno });
  return new ConnectionError({ code, rc: 14, message: "it failed", reasonCode, cause });
}

test("what the system, OpenSSL or the server said is more telling than the code", async () => {
  for (const [error, key] of [
    [failed("network-error", "ECONNREFUSED"), "nothing-listens"],
    [failed("network-error", "ENETUNREACH"), "no-network"],
    [failed("network-error", "ENOTHING"), "system-call-failed"],
    [failed("lookup-failed", "ENOTFOUND"), "name-unknown"],
    [failed("tls-failed", "CERT_NOT_YET_VALID"), "certificate-not-yet-valid"],
    [failed("tls-failed", "CERT_HAS_EXPIRED"), "certificate-expired"],
    [failed("connection-refused", null, 5), "not-authorised"],
    [failed("connection-refused", null, 0x86), "bad-credentials"],
    [failed("disconnected-by-server", null, 0x8e), "session-taken-over"],
    [new RequestError({ code: "publish-refused", rc: 0x87, reasonCode: 0x87, message: "no" }), "acl-denied"],
    [new RequestError({ code: "publish-refused", rc: 0x97, reasonCode: 0x97, message: "no" }), "quota-exceeded"],
  ] as const) {
    assert.equal((await error.explain()).key, key);
  }
});
