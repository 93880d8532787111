/** The version of this package. */
import { existsSync, readFileSync } from "node:fs";

/** As in package.json. */
export function version(): string {
  // Compiled for tests, this file lies one folder deeper than in the package.
  const places = ["../../package.json", "../../../package.json"].map((path) => new URL(path, import.meta.url));
  const text = readFileSync(places.find((place) => existsSync(place)) ?? places[0]!, "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
