/** What somebody who has just started a broker can try, with the address that it really listens on. */
import { networkInterfaces } from "node:os";
import type { Listener } from "../transport/index.ts";

/** Lines for the terminal. */
export function nextSteps(listeners: readonly Listener[], isLocal: boolean): string {
  const port = listeners[0]?.port ?? 0;
  const where = port === 1883 ? "" : ` -p ${port}`;
  const own = process.env.npm_lifecycle_event === "start" ? "npx lacewing" : "lacewing";
  const steps = [
    "Try it, each in a shell of its own:",
    `  ${own} sub${where} -t 'test/#' -v`,
    `  ${own} pub${where} -t test/hello -m "Hello from Lacewing" -q 1`,
    `  mosquitto_sub, mosquitto_pub and every other MQTT client work the same: localhost, port ${port}.`,
  ];
  if (isLocal) {
    const start = process.env.npm_lifecycle_event === "start" ? "npm start --" : "lacewing";
    steps.push(
      "Only clients on this machine can connect. To let devices on your network in, without passwords:",
      `  ${start}${where} --host 0.0.0.0 --allow-anonymous`,
    );
  } else {
    steps.push(`From other machines: ${networkAddresses().join(", ") || "this machine has no address but its own"}`);
  }
  return `\n${steps.join("\n")}\n\n`;
}

function networkAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80"))
    .map(({ address }) => address);
}
