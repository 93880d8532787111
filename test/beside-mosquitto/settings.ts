// All configurations that are played under both brokers.
import type { Setting } from "./situation.ts";
import { CONNECTING } from "./situations/connecting.ts";
import { PUBLISHING } from "./situations/publishing.ts";
import { SESSIONS } from "./situations/sessions.ts";
import { SUBSCRIBING } from "./situations/subscribing.ts";

export const SETTINGS: readonly Setting[] = [CONNECTING, PUBLISHING, SUBSCRIBING, SESSIONS];
