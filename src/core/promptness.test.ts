import assert from "node:assert/strict";
import { test } from "node:test";
import { Promptness } from "./promptness.ts";

test("a client is prompt from its first prompt acknowledgement on", () => {
  const promptness = new Promptness();
  promptness.begin(1000);
  assert.equal(promptness.isPrompt(1000), false);
  promptness.acknowledged(false, 1050);
  assert.equal(promptness.isPrompt(1050), false);
  promptness.acknowledged(true, 1060);
  assert.equal(promptness.isPrompt(1060), true);
});

test("a few late acknowledgements among prompt ones change nothing, only late ones for 100 ms do", () => {
  const promptness = new Promptness();
  promptness.acknowledged(true, 1000);
  promptness.acknowledged(false, 1090);
  assert.equal(promptness.isPrompt(1090), true);
  promptness.acknowledged(true, 1095);
  promptness.acknowledged(false, 1190);
  assert.equal(promptness.isPrompt(1190), true);
  promptness.acknowledged(false, 1196);
  assert.equal(promptness.isPrompt(1196), false);
  promptness.begin(1300);
  assert.equal(promptness.isPrompt(1300), false, "it has been late, and must be prompt once first");
  promptness.acknowledged(true, 1301);
  assert.equal(promptness.isPrompt(1301), true);
});

test("one that says nothing is not prompt after 100 ms; one that has been asked nothing still is", () => {
  const promptness = new Promptness();
  promptness.acknowledged(true, 1000);
  promptness.begin(1_000_000);
  assert.equal(promptness.isPrompt(1_000_100), true);
  assert.equal(promptness.isPrompt(1_000_101), false);
});
