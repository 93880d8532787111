import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { uint32At } from "./bytes.ts";
import { type Environment, openEnvironment } from "./environment.ts";
import { type Migration, migrate } from "./migrations.ts";
import { SCHEMA_KEY, SCHEMA_VERSION } from "./schema.ts";

function newEnvironment(context: TestContext): Environment {
  const environment = openEnvironment(temporaryFolder(context));
  context.after(() => environment.root.close());
  return environment;
}

function schemaOf({ tables }: Environment): number {
  return uint32At(tables.meta.getBinary(SCHEMA_KEY)!, 0);
}

/** A step that notes that it ran. */
function step(to: number, ran: number[]): Migration {
  return {
    to,
    migrate({ tables }) {
      ran.push(to);
      void tables.meta.put(Buffer.from(`step ${to}`), Buffer.from("done"));
    },
  };
}

test("a new file has the present layout at once", (context) => {
  const environment = newEnvironment(context);
  const ran: number[] = [];
  assert.equal(migrate(environment, [step(2, ran), step(3, ran)]), null);
  assert.equal(schemaOf(environment), 3);
  assert.deepEqual(ran, []);
});

test("an older file goes through the steps that it lacks, in order, and through none twice", (context) => {
  const environment = newEnvironment(context);
  migrate(environment);
  assert.equal(schemaOf(environment), SCHEMA_VERSION);
  const ran: number[] = [];
  const steps = [step(SCHEMA_VERSION, ran), step(SCHEMA_VERSION + 1, ran), step(SCHEMA_VERSION + 2, ran)];
  assert.equal(migrate(environment, steps), SCHEMA_VERSION);
  assert.deepEqual(ran, [SCHEMA_VERSION + 1, SCHEMA_VERSION + 2]);
  assert.equal(schemaOf(environment), SCHEMA_VERSION + 2);
  assert.equal(migrate(environment, steps), SCHEMA_VERSION + 2);
  assert.equal(ran.length, 2);
});

test("a step that fails leaves the file as it was", (context) => {
  const environment = newEnvironment(context);
  migrate(environment);
  const broken: Migration = {
    to: SCHEMA_VERSION + 2,
    migrate() {
      throw new Error("cannot");
    },
  };
  assert.throws(() => migrate(environment, [step(SCHEMA_VERSION + 1, []), broken]), /cannot/);
  assert.equal(schemaOf(environment), SCHEMA_VERSION);
  assert.equal(environment.tables.meta.getBinary(Buffer.from(`step ${SCHEMA_VERSION + 1}`)), undefined);
});
