/** Fields of JSON that only dynamic security has. */
import { type Json, numberOf } from "../../core/index.ts";
import { HIGHEST_PRIORITY, NO_PRIORITY } from "./data.ts";

/** A priority within its bounds. */
export function priorityOf(json: Json, otherwise: number = NO_PRIORITY): number {
  return Math.max(-HIGHEST_PRIORITY, Math.min(HIGHEST_PRIORITY, numberOf(json, "priority", otherwise)));
}
