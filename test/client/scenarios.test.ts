// The client library at our own broker.
import { after, test } from "node:test";
import { declareScenarios } from "./scenario-suite.ts";
import { TestBroker } from "./test-broker.ts";

const broker = new TestBroker({});
const started = broker.start();
after(() => broker.stop());

declareScenarios(async () => {
  await started;
  return broker.url;
}, test);
