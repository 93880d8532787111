// F14, short: certificates that are renewed under load.
import { rotations } from "./rotation.ts";
import { shortTest } from "./short.ts";

shortTest(
  "F14: certificates, CAs and lists are renewed, and 100 clients notice nothing",
  { peers: ["openssl"] },
  (context) => rotations({ ...context, name: "f14", clients: 100, rounds: 1 }),
);
