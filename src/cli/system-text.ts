/** What an error of the operating system is called, in the words of the C library, as scripts know them from mosquitto's tools. */
import { getSystemErrorMap } from "node:util";

/** Where the C library has other words than libuv. */
const OTHER_TEXTS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: "Cannot assign requested address",
  EHOSTUNREACH: "No route to host",
  EISDIR: "Is a directory",
};

/** The text of an error by its code, as "ENOENT"; `fallback` when there is no such error. */
export function systemText(code: string | null | undefined, fallback: string): string {
  const other = OTHER_TEXTS[code ?? ""];
  if (other !== undefined) return other;
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return capital(text);
  return fallback;
}

/** With a capital at its beginning. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
