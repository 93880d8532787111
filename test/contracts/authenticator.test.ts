import { ANONYMOUS, NOBODY } from "../../src/core/index.ts";
import type { ConnectOptions } from "../support/test-client.ts";
import { testAuthenticator } from "./authenticator-contract.ts";

const ANYBODY: readonly ConnectOptions[] = [
  {},
  { username: "someone" },
  { username: "someone", password: "secret" },
  { username: "" },
  { cleanStart: false, will: {} },
];

testAuthenticator("anonymous", async () => ({ authenticator: ANONYMOUS, welcome: ANYBODY, unwelcome: [] }));
testAuthenticator("nobody", async () => ({ authenticator: NOBODY, welcome: [], unwelcome: ANYBODY }));
