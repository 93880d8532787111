import { setTimeout as wait } from "node:timers/promises";
import { DEFAULT_OPTIONS, ManualClock, NO_STORE } from "../../src/core/index.ts";
import { EventLoop } from "../../src/server/event-loop.ts";
import { testClock } from "./clock-contract.ts";

testClock("manual", () => {
  const clock = new ManualClock(Date.UTC(2026));
  return { clock, pass: async (ms) => clock.advance(ms), setWall: (wallMs) => clock.setWall(wallMs) };
});

testClock("system", () => {
  const { clock } = new EventLoop({ options: DEFAULT_OPTIONS, store: NO_STORE }).broker;
  return { clock, pass: (ms) => wait(ms) };
});
