// mload.c, compiled here, against a stub broker with faults: it must count as strictly as our own generator.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findGenerators, runGenerator } from "./generator.ts";
import type { LoadResult } from "./load/result.ts";
import { type StubFaults, startStubBroker } from "./load/stub-broker.ts";
import type { Version } from "./load/wire.ts";

const generators = findGenerators();

type Seen = { result: LoadResult; mostUnacknowledged: number };

async function againstStub(args: string, version: Version, faults: StubFaults = {}): Promise<Seen> {
  const stub = await startStubBroker(version, faults);
  try {
    const broker = { port: stub.port, pid: process.pid, stop: () => stub.close() };
    const result = await runGenerator(generators.mload, [...args.split(" "), "-v", `${version}`], broker);
    return { result, mostUnacknowledged: stub.mostUnacknowledged() };
  } finally {
    await stub.close();
  }
}

test("mload.c", { skip: generators.note ?? false }, async (t) => {
  for (const version of [3, 4, 5] as const)
    for (const qos of [0, 1, 2])
      await t.test(`version ${version}, QoS ${qos}: every message is counted`, async () => {
        const { result } = await againstStub(`-n 300 -q ${qos} -P 3 -S 2`, version);
        const { sent, delivered, acknowledged } = result.metrics;
        assert.deepEqual([result.generator, sent, delivered, acknowledged], ["mload", 300, 300, qos > 0 ? 300 : 0]);
        assert.deepEqual([result.timeout, result.disordered], [false, 0]);
      });

  await t.test("packets cut at every byte are put together", async () => {
    const { result } = await againstStub("-n 100 -q 2 -l 300", 5, { dribbles: true });
    assert.deepEqual([result.metrics.delivered, result.timeout, result.disordered], [100, false, 0]);
  });

  await t.test("payloads of more than a chunk, and of none", async () => {
    for (const bytes of [0, 200_000]) {
      const { result } = await againstStub(`-n 20 -l ${bytes}`, 4);
      assert.equal(result.metrics.delivered, 20);
    }
  });

  await t.test("fan-out, a rate, a duration", async () => {
    for (const [args, copies] of [
      ["-n 50 -f -P 2 -S 5", 5],
      ["-n 50 -R 5000", 1],
      ["-d 0.05", 1],
    ] as const) {
      const { sent = 0, delivered, expected } = (await againstStub(args, 4)).result.metrics;
      assert.ok(sent > 0, args);
      assert.deepEqual([delivered, expected], [sent * copies, sent * copies], args);
    }
  });

  await t.test("a lost message is a TIMEOUT, one that comes twice is DISORDER", async () => {
    const lost = await againstStub("-n 50 -t 0.2", 4, { losesEvery: 50 });
    assert.deepEqual([lost.result.timeout, lost.result.metrics.delivered], [true, 49]);
    const both = await againstStub("-n 60 -t 0.2", 4, { losesEvery: 20, doublesEvery: 15 });
    assert.ok(both.result.disordered > 0);
  });

  await t.test("the Receive Maximum of a 5.0 CONNACK bounds each publisher [5.0 MQTT-3.3.4-7]", async () => {
    const connackProperties = Buffer.from("03210007", "hex");
    const { result, mostUnacknowledged } = await againstStub("-n 200 -q 1", 5, { connackProperties });
    assert.equal(result.metrics.delivered, 200);
    assert.ok(mostUnacknowledged > 0 && mostUnacknowledged <= 7, `${mostUnacknowledged}`);
  });

  await t.test("idle connections", async () => {
    const { result } = await againstStub("-I 20 -s 0", 4);
    assert.deepEqual([result.mode, result.metrics.connections], ["idle", 20]);
  });

  await t.test("a refused CONNECT is an error with its code", async () => {
    await assert.rejects(againstStub("-n 1", 4, { connackCode: 5 }), /CONNACK code 5/);
  });
});
