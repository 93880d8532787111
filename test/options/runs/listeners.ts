// Ways in: where they are, what they speak, and whom they let in.
import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { createConnection } from "node:net";
import { networkInterfaces } from "node:os";
import { WebSocket } from "ws";
import { encodePacket } from "../../../src/protocol/index.ts";
import { connectOf } from "../../support/test-client.ts";
import type { OptionBroker, OptionRun } from "../option-run.ts";

/** "open", or the status of the refusal. */
async function webSocket({ ports }: OptionBroker, headers: Readonly<Record<string, string>>): Promise<string | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${ports.web}/mqtt`, "mqtt", { headers });
  return new Promise((resolve) => {
    socket.on("error", () => resolve("error"));
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.on("open", () => {
      resolve("open");
      socket.terminate();
    });
  });
}

/** What is answered by HTTP. */
function page(port: number | undefined, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk)).on("end", () => resolve(body));
    }).on("error", reject);
  });
}

const PROXY_V2_WITHOUT_TLS = "0d0a0d0a000d0a515549540a 21 11 000c 0a010203 7f000001 1234 075b";

/** With a certificate of device-7, which the proxy has verified. */
const PROXY_V2_OF_DEVICE =
  "0d0a0d0a000d0a515549540a 21 11 0022 c0000201 c0000202 c350 075b 20 0013 05 00000000 22 0008 6465766963652d37 04 0000";

export const DEFAULT_LISTENER: OptionRun = {
  title: "the default listener",
  lines: ["port @main", "bind_address 127.0.0.1", "allow_anonymous true"],
  checks: {
    port: async ({ stage }) => {
      const client = await stage.connect("client");
      assert.equal(client.transcript[0], "CONNACK 0x00");
    },
    bind_address: async ({ ports }) => {
      const socket = createConnection({ host: "127.0.0.2", port: ports.main ?? 0 });
      const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
      assert.equal(error.code, "ECONNREFUSED");
    },
  },
};

export const LISTENERS: OptionRun = {
  title: "listeners",
  lines: [
    "allow_anonymous false",
    "packet_buffer_size 2000",
    "listener @main 127.0.0.1",
    "accept_protocol_versions 5",
    "listener_allow_anonymous true",
    "listener_auto_id_prefix lobby-",
    "max_topic_alias_broker 1",
    "listener @lo",
    "bind_interface lo",
    "socket_domain ipv4",
    "listener_allow_anonymous true",
    "listener @web 127.0.0.1",
    "protocol websockets",
    "listener_allow_anonymous true",
    "websockets_origin https://good.example",
    "http_dir FOLDER/www",
    "listener @proxy 127.0.0.1",
    "enable_proxy_protocol 1",
    "listener_allow_anonymous true",
    "listener @proxy-two 127.0.0.1",
    "enable_proxy_protocol 2",
    "proxy_protocol_v2_require_tls true",
    "listener_allow_anonymous true",
    "listener @proxy-proof 127.0.0.1",
    "enable_proxy_protocol 2",
    "require_certificate true",
    "use_identity_as_username true",
    "listener @shut 127.0.0.1",
    "listener @api 127.0.0.1",
    "protocol http_api",
    "listener_allow_anonymous true",
  ],
  files: { "www/index.html": "<p>Hello" },
  checks: {
    listener: async ({ stage }) => {
      const client = await stage.connect("listener", { version: 5 });
      assert.match(client.transcript[0] ?? "", /^CONNACK 0x00/);
    },
    accept_protocol_versions: async ({ stage }) => {
      const old = await stage.connect("old", { version: 4 });
      assert.deepEqual(old.transcript[0], "CONNACK 0x01");
    },
    listener_allow_anonymous: async ({ stage }) => {
      const inside = await stage.connect("in", { version: 5 });
      const outside = await stage.connect("out", { version: 5, at: "shut" });
      assert.match(inside.transcript[0] ?? "", /^CONNACK 0x00/);
      assert.equal(outside.transcript[0], "CONNACK 0x87");
    },
    listener_auto_id_prefix: async ({ stage }) => {
      const client = await stage.connect("nameless", { version: 5, clientId: "" });
      assert.match(client.transcript[0] ?? "", /assignedClientId=lobby-/);
    },
    max_topic_alias_broker: async ({ stage }) => {
      const properties = { topicAliasMaximum: 10 };
      const client = await stage.connect("aliased", { version: 5, properties });
      await client.subscribe("alias/#", { qos: 0 });
      for (const topicName of ["alias/a", "alias/a", "alias/b"]) await client.publish(topicName, "x");
      assert.deepEqual(client.transcript.slice(2), [
        "PUBLISH alias/a=x q0 topicAlias=1",
        "PUBLISH =x q0 topicAlias=1",
        "PUBLISH alias/b=x q0",
      ]);
    },
    bind_interface: async ({ stage, ports }) => {
      const client = await stage.connect("loopback", { at: "lo" });
      assert.equal(client.transcript[0], "CONNACK 0x00");
      const others = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
      const other = others.find(({ internal, family }) => !internal && family === "IPv4");
      if (other === undefined) return;
      const [error] = (await once(createConnection({ host: other.address, port: ports.lo ?? 0 }), "error")) as [
        NodeJS.ErrnoException,
      ];
      assert.equal(error.code, "ECONNREFUSED");
    },
    socket_domain: async ({ ports }) => {
      const [error] = (await once(createConnection({ host: "::1", port: ports.lo ?? 0 }), "error")) as [
        NodeJS.ErrnoException,
      ];
      assert.notEqual(error.code, undefined);
    },
    protocol: async (broker) => {
      const socket = new WebSocket(`ws://127.0.0.1:${broker.ports.web}/mqtt`, "mqtt", {
        origin: "https://good.example",
      });
      await once(socket, "open");
      socket.send(encodePacket(connectOf(4, "web"), 4));
      const [answer] = (await once(socket, "message")) as [Buffer];
      assert.equal(answer.toString("hex"), "20020000");
      socket.terminate();
      assert.match(await page(broker.ports.api, "/api/v1/version"), /^\d+\.\d+\.\d+/);
    },
    websockets_origin: async (broker) => {
      assert.equal(await webSocket(broker, { origin: "https://good.example" }), "open");
      assert.equal(await webSocket(broker, { origin: "https://bad.example" }), "error");
    },
    packet_buffer_size: async (broker) => {
      const origin = "https://good.example";
      assert.equal(await webSocket(broker, { origin, "x-small": "x".repeat(500) }), "open");
      assert.notEqual(await webSocket(broker, { origin, "x-large": "x".repeat(3000) }), "open");
    },
    http_dir: async ({ ports }) => {
      assert.equal(await page(ports.web, "/index.html"), "<p>Hello");
    },
    enable_proxy_protocol: async ({ stage, program }) => {
      const client = await stage.open("behind a proxy", { at: "proxy" });
      client.bytes(Buffer.from("PROXY TCP4 192.0.2.5 127.0.0.1 6275 1883\r\n").toString("hex"));
      await client.connect("proxied");
      assert.equal(client.transcript[0], "CONNACK 0x00");
      await program().printed(/New client connected from 192\.0\.2\.5:6275 as proxied/);
    },
    // Whose certificate a proxy has verified.
    require_certificate: async ({ stage, program }) => {
      const without = await stage.open("without a certificate", { at: "proxy-proof" });
      without.bytes(PROXY_V2_WITHOUT_TLS);
      await without.closed();
      await program().printed(/rejected, client did not provide a certificate\./);
      const client = await stage.open("with a certificate", { at: "proxy-proof" });
      client.bytes(PROXY_V2_OF_DEVICE);
      await client.connect("proven");
      assert.equal(client.transcript[0], "CONNACK 0x00");
      await program().printed(/as proven \(.*u'device-7'\)/);
    },
    proxy_protocol_v2_require_tls: async ({ stage }) => {
      const client = await stage.open("without TLS", { at: "proxy-two" });
      client.bytes(PROXY_V2_WITHOUT_TLS);
      await client.closed();
    },
  },
};
