/** The catalogue of what codes, lines and events mean. */
export { LANGUAGES, type Language, type Text } from "./entry.ts";
export {
  type DeliveryFacts,
  deliveryText,
  durationText,
  type EndFacts,
  endText,
  type NearMissKind,
  nearMissText,
  type PatternFacts,
  patternText,
} from "./event-texts.ts";
