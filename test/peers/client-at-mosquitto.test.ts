// The client library at Eclipse mosquitto: what it does at our broker it does there.
import { after } from "node:test";
import { declareScenarios } from "../client/scenario-suite.ts";
import { testWithPeers } from "../support/peers.ts";
import { startMosquitto } from "./mosquitto-process.ts";

const started = startMosquitto();
after(async () => (await started).stop());

declareScenarios(
  async () => ({ url: `mqtt://127.0.0.1:${(await started).port}` }),
  (name, run) => testWithPeers(name, ["mosquitto"], run),
);
