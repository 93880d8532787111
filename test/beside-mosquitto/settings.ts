// All configurations that are played under both brokers.
import type { Setting } from "./situation.ts";
import { CONNECTING } from "./situations/connecting.ts";
import { LIMITS, OTHER_LIMITS } from "./situations/limits.ts";
import { PUBLISHING } from "./situations/publishing.ts";
import { SESSIONS } from "./situations/sessions.ts";
import { SUBSCRIBING } from "./situations/subscribing.ts";
import { PER_LISTENER, RETAINED_FOR_ALL, RETAINED_FOR_SOME, USERS } from "./situations/users.ts";

export const SETTINGS: readonly Setting[] = [
  CONNECTING,
  PUBLISHING,
  SUBSCRIBING,
  SESSIONS,
  LIMITS,
  OTHER_LIMITS,
  USERS,
  PER_LISTENER,
  RETAINED_FOR_SOME,
  RETAINED_FOR_ALL,
];
