/** URLs of servers, which one is next, and where servers send their clients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ArgumentError } from "./errors.ts";
import { referredServers, type Server, ServerList, serverName, serverOf } from "./servers.ts";

for (const [url, expected] of [
  ["mqtt://example.org", { host: "example.org", port: 1883 }],
  ["mqtts://example.org", { scheme: "mqtts", port: 8883 }],
  ["mqtt://10.0.0.1:1884/", { host: "10.0.0.1", port: 1884, path: "" }],
  ["mqtt://[2001:db8::1]:1884", { host: "2001:db8::1", port: 1884 }],
  ["mqtt://us%40er:pass%3Aword@example.org", { username: "us@er", password: "pass:word" }],
  ["ws://example.org/mqtt?token=1", { scheme: "ws", port: 80, path: "/mqtt?token=1" }],
  ["wss://example.org", { scheme: "wss", port: 443 }],
  ["unix:///run/mosquitto.sock", { scheme: "unix", host: "", port: 0, path: "/run/mosquitto.sock" }],
] as const) {
  test(`${url} is understood`, () => {
    const server = serverOf(url);
    for (const [name, value] of Object.entries(expected)) assert.equal(server[name as keyof Server], value, name);
  });
}

for (const [url, why] of [
  ["example.org", /is not the URL of a server/],
  ["localhost:1883", /unknown scheme "localhost"/],
  ["http://example.org", /unknown scheme "http"/],
  ["mqtt://", /names no host|is not the URL/],
  ["unix:", /names no file/],
  ["mqtt://example.org:99999", /is not the URL/],
] as const) {
  test(`${url} is refused, with an example`, () => {
    assert.throws(
      () => serverOf(url),
      (error) => error instanceof ArgumentError && why.test(error.message) && /mqtts:\/\//.test(error.message),
    );
  });
}

test("the name of a server has no password", () => {
  for (const url of [
    "mqtt://example.org:1883",
    "ws://example.org:80/mqtt?a=b",
    "unix:///run/a.sock",
    "mqtt://[::1]:1883",
  ]) {
    assert.equal(serverName(serverOf(url)), url);
  }
  assert.equal(serverName(serverOf("mqtts://user:secret@example.org")), "mqtts://example.org:8883");
});

test("references of servers: names, addresses, ports, URLs; never from TLS to a way without", () => {
  const from = serverOf("mqtts://user:secret@example.org:8884");
  const names = (reference: string): string[] => referredServers(reference, from).map(serverName);
  assert.deepEqual(names("a.example b.example:1 10.0.0.1 [2001:db8::1]:2 2001:db8::2"), [
    ...["mqtts://a.example:8884", "mqtts://b.example:1", "mqtts://10.0.0.1:8884"],
    ...["mqtts://[2001:db8::1]:2", "mqtts://[2001:db8::2]:8884"],
  ]);
  assert.deepEqual(names("wss://a.example/mqtt mqtt://b.example nonsense:port"), ["wss://a.example:443/mqtt"]);
  assert.deepEqual(names(""), []);
  const [first] = referredServers("a.example", from);
  assert.deepEqual([first?.username, first?.password], ["user", "secret"]);
});

test("each server in turn, and a wait only after all", () => {
  const list = new ServerList(["a", "b", "c"].map((host) => serverOf(`mqtt://${host}`)));
  assert.deepEqual(
    [list.failed(), list.failed(), list.current.host, list.failed(), list.current.host],
    [false, false, "c", true, "a"],
  );
});

test("a redirection holds for one connection, or for good; circles end", () => {
  const list = new ServerList([serverOf("mqtt://a")]);
  const other = [serverOf("mqtt://b")];
  assert.equal(list.redirect(other, false), true);
  assert.equal(list.current.host, "b");
  list.succeeded();
  list.lost();
  assert.equal(list.current.host, "a");
  assert.equal(list.redirect(other, false), true);
  assert.deepEqual([list.failed(), list.current.host], [false, "a"]);
  assert.equal(list.redirect(other, true), true);
  list.lost();
  assert.equal(list.current.host, "b");
  for (let i = 0; i < 10; i++) list.redirect(other, false);
  assert.equal(list.redirect(other, false), false);
  assert.equal(list.redirect([], false), false);
});
