// The generator against a stub broker with faults, and against mosquitto where it is installed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { startBroker } from "../brokers/broker.ts";
import { mosquitto } from "../brokers/mosquitto.ts";
import { parseLoadOptions } from "./options.ts";
import type { LoadResult } from "./result.ts";
import { runLoad } from "./run-load.ts";
import { type StubFaults, startStubBroker } from "./stub-broker.ts";
import type { Version } from "./wire.ts";

type Seen = { result: LoadResult; mostUnacknowledged: number };

async function againstStub(args: string, version: Version, faults: StubFaults = {}): Promise<Seen> {
  const stub = await startStubBroker(version, faults);
  try {
    const result = await runLoad(parseLoadOptions([...args.split(" "), "-v", `${version}`, "-p", `${stub.port}`]));
    return { result, mostUnacknowledged: stub.mostUnacknowledged() };
  } finally {
    await stub.close();
  }
}

for (const version of [3, 4, 5] as const)
  for (const qos of [0, 1, 2])
    test(`version ${version}, QoS ${qos}: every message is counted`, async () => {
      const { result } = await againstStub(`-n 300 -q ${qos} -P 3 -S 2`, version);
      const { sent, delivered, acknowledged } = result.metrics;
      assert.deepEqual([sent, delivered, acknowledged], [300, 300, qos > 0 ? 300 : 0]);
      assert.deepEqual([result.timeout, result.disordered], [false, 0]);
    });

test("packets cut at every byte are put together", async () => {
  const { result } = await againstStub("-n 100 -q 2 -l 300", 5, { dribbles: true });
  assert.deepEqual([result.metrics.delivered, result.timeout, result.disordered], [100, false, 0]);
});

test("payloads of more than a chunk, and of none", async () => {
  for (const bytes of [0, 200_000]) {
    const { result } = await againstStub(`-n 20 -l ${bytes}`, 4);
    assert.equal(result.metrics.delivered, 20);
  }
});

test("fan-out multiplies deliveries", async () => {
  const { result } = await againstStub("-n 50 -f -P 2 -S 5", 4);
  assert.deepEqual([result.mode, result.metrics.sent, result.metrics.delivered], ["fanout", 50, 250]);
});

test("a rate and a duration end by themselves", async () => {
  const byRate = await againstStub("-n 50 -R 5000", 4);
  assert.equal(byRate.result.metrics.delivered, 50);
  const byTime = await againstStub("-d 0.05", 4);
  assert.ok((byTime.result.metrics.sent ?? 0) > 0);
  assert.equal(byTime.result.metrics.delivered, byTime.result.metrics.sent);
});

test("a lost message is a TIMEOUT", async () => {
  const { result } = await againstStub("-n 50 -t 0.2", 4, { losesEvery: 50 });
  assert.equal(result.timeout, true);
  assert.deepEqual([result.metrics.delivered, result.metrics.expected], [49, 50]);
});

test("a message that comes twice does not hide one that is lost", async () => {
  const { result } = await againstStub("-n 60 -t 0.2 -w 1000", 4, { losesEvery: 20, doublesEvery: 15 });
  assert.ok(result.disordered > 0);
});

test("the Receive Maximum of a 5.0 CONNACK bounds each publisher [5.0 MQTT-3.3.4-7]", async () => {
  const connackProperties = Buffer.from("03210007", "hex");
  const { result, mostUnacknowledged } = await againstStub("-n 200 -q 1", 5, { connackProperties });
  assert.equal(result.metrics.delivered, 200);
  assert.ok(mostUnacknowledged > 0 && mostUnacknowledged <= 7, `${mostUnacknowledged}`);
});

test("a refused CONNECT is an error with its code", async () => {
  await assert.rejects(againstStub("-n 1", 4, { connackCode: 5 }), /CONNACK code 5/);
});

test("no broker is an error", async () => {
  const stub = await startStubBroker(4);
  await stub.close();
  await assert.rejects(runLoad(parseLoadOptions(["-p", `${stub.port}`])), /ECONNREFUSED/);
});

const openssl = spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed";
test("--tls checks the certificate, unless --insecure", { skip: openssl }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-load-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=stub".split(" ");
  const named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate];
  assert.equal(spawnSync("openssl", [...made, ...named]).status, 0);
  const stub = await startStubBroker(4);
  const front = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (socket) => {
    const behind = connect(stub.port, "127.0.0.1");
    for (const end of [socket, behind]) end.on("error", () => {});
    socket.pipe(behind).pipe(socket);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    front.close();
    await stub.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { port } = front.address() as AddressInfo;
  const run = (args: readonly string[]): Promise<LoadResult> =>
    runLoad(parseLoadOptions(["-p", `${port}`, "-n", "200", ...args]));

  for (const args of [
    ["--ca", certificate],
    ["--insecure", "-q", "1"],
  ]) {
    const result = await run(args);
    assert.deepEqual([result.metrics.delivered, result.timeout, result.disordered], [200, false, 0]);
  }
  await assert.rejects(run(["--tls"]), /self-signed certificate/);
});

const absent = mosquitto.find() === undefined ? "mosquitto is not installed" : false;
test("against mosquitto", { skip: absent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-load-"));
  const broker = await startBroker(mosquitto, "fair", folder);
  t.after(async () => {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const run = (args: string): Promise<LoadResult> =>
    runLoad(parseLoadOptions([...args.split(" "), "-p", `${broker.port}`, "-i", `${broker.pid}`]));

  for (const args of ["-n 500 -q 2", "-n 500 -v 5 -q 1", "-n 20 -f -W -S 10", "-n 500 -g -P 2 -S 4 -q 1"])
    await t.test(args, async () => {
      const result = await run(args);
      assert.deepEqual([result.timeout, result.disordered], [false, 0]);
      assert.equal(result.metrics.delivered, result.metrics.expected);
      assert.ok((result.metrics.brokerRssKib ?? 0) > 0);
    });

  for (const version of [4, 5])
    await t.test(`--offline, version ${version}: the queues give all back`, async () => {
      const result = await run(`--offline -n 300 -P 3 -S 3 -v ${version}`);
      const { acknowledged, delivered } = result.metrics;
      assert.deepEqual([result.timeout, acknowledged, delivered], [false, 300, 300]);
    });

  await t.test("--subscriptions: each message has one receiver at both sizes", async () => {
    const result = await run("--subscriptions 300 -n 500");
    assert.equal(result.timeout, false);
    assert.ok((result.metrics.manyPerSecond ?? 0) > 0);
  });

  await t.test("--idle", async () => {
    const result = await run("--idle 20 -s 0");
    assert.equal(result.metrics.connections, 20);
  });
});
