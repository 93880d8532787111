// F15, short: load that is held.
import { lacewing } from "./broker-process.ts";
import { heldLoads } from "./held-load.ts";
import { shortTest } from "./short.ts";

shortTest(
  "F15: 1,000 connections and 2,000 messages a second for 15 s: none lost, no heap that grows",
  {},
  (context) => {
    const kind = lacewing("sys_interval=1", "connection_messages=false");
    const load = { connections: 1000, messagesPerSecond: 2000, seconds: 15 };
    return heldLoads({ ...context, ...load, name: "f15", kind, rounds: 1 });
  },
);
