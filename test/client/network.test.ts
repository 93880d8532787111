// The client library and our own broker, when the way is bad, secured or through others.
import { after, type TestContext, test } from "node:test";
import type { TlsOptions } from "node:tls";
import { certified, portOf, tlsFront, webSocketFront } from "./fronts.ts";
import { declareNetworkScenarios, type NetworkBroker, PSK } from "./network-suite.ts";
import { TestBroker } from "./test-broker.ts";

const broker = new TestBroker({});
const ends: (() => unknown)[] = [];
const suite = { after: (end: () => unknown) => ends.push(end) } as unknown as TestContext;
after(async () => {
  for (const end of ends) await end();
  await broker.stop();
});

async function start(): Promise<NetworkBroker> {
  await broker.start();
  const plain = broker.port;
  const tls = async (options: TlsOptions): Promise<number> => portOf(await tlsFront(suite, plain, options));
  const pskCallback = (_: unknown, identity: string) => (identity === "device" ? Buffer.from(PSK, "hex") : null);
  return {
    plain,
    password: 0,
    tls: await tls(certified("server.pem")),
    tlsFuture: await tls(certified("future.pem")),
    tlsExpired: await tls(certified("expired.pem")),
    tlsMisnamed: await tls(certified("misnamed.pem")),
    tlsClient: await tls({ ...certified("server.pem"), requestCert: true, rejectUnauthorized: true }),
    tlsPsk: await tls({ ciphers: "PSK", pskCallback }),
    webSocket: (await webSocketFront(suite, plain)).port,
  };
}

const started = start();
declareNetworkScenarios(
  () => started,
  (name, run) => void (/password: right|a token/.test(name) || test(name, { timeout: 30_000 }, run)),
);
