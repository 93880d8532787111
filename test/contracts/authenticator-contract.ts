/** What every Authenticator must do, as tests that take the adapter and applicants from whoever calls. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Applicant, type Authenticator, type Policy, UNKNOWN_PEER, type Verdict } from "../../src/core/index.ts";
import { END_REASONS, ReasonCode } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { type ConnectOptions, connectOf } from "../support/test-client.ts";

/** An authenticator, and whom it should let in and whom not. */
export interface AuthenticatorUnderTest {
  readonly authenticator: Authenticator;
  readonly welcome: readonly ConnectOptions[];
  readonly unwelcome: readonly ConnectOptions[];
}

const TOPICS = ["a", "a/b", "/", "$SYS/a", "ä", "a".repeat(65_535), "a/".repeat(100)];
const FILTERS = [...TOPICS, "#", "+", "a/#", "+/b"];

/** Declares the contract for the authenticator called `name`. */
export function testAuthenticator(name: string, open: () => Promise<AuthenticatorUnderTest>): void {
  const check = (title: string, run: (opened: AuthenticatorUnderTest) => Promise<void>): void => {
    test(`${name} authenticator: ${title}`, async () => run(await open()));
  };

  check("lets in who is welcome, with a policy whose answers are plain", async ({ authenticator, welcome }) => {
    for (const options of welcome) {
      const verdict = await authenticator.authenticate(applicant(options));
      assert.equal(verdict.kind, "accepted", JSON.stringify(options));
      assertPolicy((verdict as Extract<Verdict, { kind: "accepted" }>).policy);
    }
  });

  check("refuses who is not, with a reason that is a refusal", async ({ authenticator, unwelcome }) => {
    for (const options of unwelcome) {
      const verdict = await authenticator.authenticate(applicant(options));
      assert.equal(verdict.kind, "refused", JSON.stringify(options));
      const { reason } = verdict as Extract<Verdict, { kind: "refused" }>;
      assert.ok(END_REASONS[reason].code >= 0x80, reason);
    }
  });

  check("lets nobody in by a method that it does not know", async ({ authenticator, welcome, unwelcome }) => {
    for (const options of [...welcome, ...unwelcome]) {
      const properties = { ...options.properties, authenticationMethod: "no such method" };
      const verdict = await authenticator.authenticate(applicant({ ...options, properties }));
      assert.equal(verdict.kind, "refused");
    }
  });

  check(
    "answers alike again, to many at once, and changes no CONNECT",
    async ({ authenticator, welcome, unwelcome }) => {
      const applicants = [...welcome, ...unwelcome].map(applicant);
      const before = JSON.stringify(applicants);
      const kinds = async (): Promise<string[]> =>
        Promise.all(applicants.map(async (each) => (await authenticator.authenticate(each)).kind));
      assert.deepEqual(...((await Promise.all([kinds(), kinds()])) as [string[], string[]]));
      assert.equal(JSON.stringify(applicants), before);
    },
  );

  check("says whose Session it is, the same each time", async ({ authenticator, welcome }) => {
    for (const options of welcome) {
      const ask = async (): Promise<Verdict> => authenticator.authenticate(applicant(options));
      const [one, two] = await Promise.all([ask(), ask()]);
      assert.ok(one.kind === "accepted" && two.kind === "accepted");
      assert.equal(one.principal, two.principal);
      assert.notEqual(one.principal, "");
    }
  });

  check("works at a broker's door in every version", async ({ authenticator, welcome, unwelcome }) => {
    for (const version of [3, 4, 5] as const) {
      const harness = new BrokerHarness({ authenticator });
      for (const options of welcome) assert.equal(await reasonCodeOf(harness, { ...options, version }), 0);
      for (const options of unwelcome) assert.notEqual(await reasonCodeOf(harness, { ...options, version }), 0);
      assert.equal(harness.broker.connectedClients, welcome.length);
    }
  });
}

function applicant(options: ConnectOptions): Applicant {
  const connect = connectOf(options.version ?? 5, "c", options);
  return { connect, clientId: "c", remoteAddress: "127.0.0.1:50000", localPort: 1883, peer: UNKNOWN_PEER };
}

/** A Policy that allows everything must say so in every answer. */
function assertPolicy(policy: Policy): void {
  for (const topicFilter of FILTERS) {
    const answer = policy.canSubscribe(topicFilter);
    assert.equal(typeof answer, "boolean");
    if (policy.allowsAll) assert.equal(answer, true);
  }
  for (const topicName of TOPICS) {
    for (const answer of [policy.canPublish(topicName), policy.canReceive(topicName)]) {
      assert.equal(typeof answer, "boolean");
      if (policy.allowsAll) assert.equal(answer, true);
    }
  }
}

let clients = 0;

async function reasonCodeOf(harness: BrokerHarness, options: ConnectOptions): Promise<number> {
  const client = harness.open(options.version ?? 5);
  client.connect(`c${++clients}`, options);
  // Some think in another thread.
  while (client.connack === null && !client.isClosed) await harness.rest();
  return client.connack?.reasonCode ?? ReasonCode.UnspecifiedError;
}
