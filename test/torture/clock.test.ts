// F8, short: jumps of the wall clock.
import { lacewing } from "./broker-process.ts";
import { clockJumps } from "./clock-jumps.ts";
import { shortTest } from "./short.ts";

shortTest(
  "F8: jumps of the wall clock by years and hours expire nothing and throw out nobody",
  { peers: ["libfaketime"] },
  (context) => clockJumps({ ...context, name: "f8", kind: lacewing("max_inflight_messages=0"), rounds: 4 }),
);
