/**
 * What every Mesh must do, as tests that take the adapter from whoever calls. A message may come to a broker that does not want it,
 * as brokers match it again; it must never fail to come to one that does.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mesh } from "../../src/core/index.ts";
import { type PublishFields, topicMatches } from "../../src/protocol/index.ts";
import { bytesOf, textOf } from "../support/test-client.ts";

/** Some brokers' places in one mesh. */
export interface MeshUnderTest {
  readonly meshes: readonly Mesh[];
  /** Until everything that was wanted and published has arrived. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** A broker as its mesh sees it. */
class Place {
  readonly mesh: Mesh;
  readonly received: PublishFields[] = [];

  constructor(mesh: Mesh) {
    this.mesh = mesh;
    mesh.attach((message) => this.received.push(message));
  }

  publish(topicName: string, payload: string, rest: Partial<PublishFields> = {}): void {
    const fields = { qos: 0, retain: false, dup: false, packetId: 0, properties: {} } as const;
    this.mesh.publish({ ...fields, topicName, payload: bytesOf(payload), ...rest });
  }

  /** Takes what came and matches `topicFilter`. */
  taken(topicFilter: string = "#"): string[] {
    const messages = this.received.splice(0).filter(({ topicName }) => topicMatches(topicFilter, topicName));
    return messages.map(({ topicName, payload }) => `${topicName}=${textOf(payload)}`);
  }
}

/** Declares the contract for the adapter called `name`; `open` makes a mesh of that many brokers. */
export function testMesh(name: string, open: (brokers: number) => Promise<MeshUnderTest>): void {
  const check = (title: string, run: (places: Place[], settle: () => Promise<void>) => Promise<void>): void => {
    test(`${name} mesh: ${title}`, async () => {
      const opened = await open(3);
      try {
        await run(
          opened.meshes.map((mesh) => new Place(mesh)),
          () => opened.settle(),
        );
      } finally {
        await opened.close();
      }
    });
  };
  testDelivery(check);
  testWants(check);
}

type Check = (title: string, run: (places: Place[], settle: () => Promise<void>) => Promise<void>) => void;

function testDelivery(check: Check): void {
  check("a message comes once to each broker that wants it, and not back", async ([a, b, c], settle) => {
    for (const place of [a!, b!, c!]) place.mesh.want("t/+");
    b!.mesh.want("#");
    await settle();
    a!.publish("t/1", "one");
    await settle();
    assert.deepEqual([a!.taken(), b!.taken(), c!.taken()], [[], ["t/1=one"], ["t/1=one"]]);
  });

  check("messages of one broker come in their order", async ([a, b], settle) => {
    b!.mesh.want("#");
    await settle();
    const sent = Array.from({ length: 200 }, (_, i) => `t/${i % 3}=${i}`);
    for (const each of sent) a!.publish(...(each.split("=") as [string, string]));
    await settle();
    assert.deepEqual(b!.taken(), sent);
  });

  check("a message comes as it was", async ([a, b], settle) => {
    b!.mesh.want("#");
    await settle();
    const sent: PublishFields = {
      topicName: "ä/\u{1f600}//+".slice(0, -2),
      payload: Uint8Array.from({ length: 256 }, (_, i) => i),
      qos: 2,
      retain: true,
      dup: false,
      packetId: 0,
      properties: {
        payloadFormatIndicator: 0,
        messageExpirySeconds: 60,
        contentType: "x",
        responseTopic: "r",
        correlationData: Uint8Array.of(0, 255),
        userProperties: [
          ["a", "1"],
          ["a", "2"],
        ],
      },
    };
    a!.mesh.publish(sent);
    a!.publish("empty", "", { payload: new Uint8Array(0) });
    a!.publish("large", "", { payload: new Uint8Array(2_000_000).fill(7) });
    await settle();
    const [first, empty, large] = b!.received;
    assert.deepEqual({ ...first, payload: [...first!.payload] }, { ...sent, payload: [...sent.payload] });
    assert.equal(empty!.payload.length, 0);
    assert.deepEqual([large!.payload.length, large!.payload.at(-1)], [2_000_000, 7]);
  });
}

function testWants(check: Check): void {
  const FILTERS = ["#", "+", "a/#", "a/+", "+/b", "a/b", "/", "a//b", "$x/#", "ä/+"];
  const TOPICS = ["a", "a/b", "a/b/c", "/", "a//b", "$x/a", "ä/b", "b"];
  for (const topicFilter of FILTERS) {
    check(`everything that ${topicFilter} matches comes`, async ([a, b], settle) => {
      b!.mesh.want(topicFilter);
      await settle();
      for (const topicName of TOPICS) a!.publish(topicName, "");
      await settle();
      const expected = TOPICS.filter((topicName) => topicMatches(topicFilter, topicName));
      assert.deepEqual(
        b!.taken(topicFilter),
        expected.map((topicName) => `${topicName}=`),
      );
    });
  }

  check(
    "what is no longer wanted by one filter still comes by another, or by wanting it again",
    async ([a, b], settle) => {
      b!.mesh.want("a/+");
      b!.mesh.want("a/b");
      b!.mesh.unwant("a/+");
      await settle();
      a!.publish("a/b", "one");
      await settle();
      assert.deepEqual(b!.taken(), ["a/b=one"]);
      b!.mesh.unwant("a/b");
      b!.mesh.want("a/b");
      await settle();
      a!.publish("a/b", "two");
      await settle();
      assert.deepEqual(b!.taken(), ["a/b=two"]);
    },
  );
}
