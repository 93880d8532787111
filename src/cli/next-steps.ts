/** What somebody who has just started a broker can try, with the address that it really listens on. */
import { networkInterfaces } from "node:os";
import type { Listener } from "../transport/index.ts";

/** Who can connect: clients on this machine, everybody, those with a password or certificate, or nobody until an option says so. */
export type Access = "local" | "everybody" | "users" | "nobody";

/** Lines for the terminal. */
export function nextSteps(listeners: readonly Listener[], access: Access): string {
  const port = listeners[0]?.port ?? 0;
  const isScript = process.env.npm_lifecycle_event === "start";
  const where = port === 1883 ? "" : ` -p ${port}`;
  const broker = `${isScript ? "npm start --" : "lacewing"}${where}`;
  const steps =
    access === "nobody"
      ? ["No client can connect yet. To let all in without passwords:", `  ${broker} --host 0.0.0.0 --allow-anonymous`]
      : [...trials(port, `${isScript ? "npx lacewing" : "lacewing"}`, where), ...reach(access, broker)];
  return `\n${steps.join("\n")}\n\n`;
}

function trials(port: number, tool: string, where: string): string[] {
  return [
    "Try it, each in a shell of its own:",
    `  ${tool} sub${where} -t 'test/#' -v`,
    `  ${tool} pub${where} -t test/hello -m "Hello from Lacewing" -q 1`,
    `  mosquitto_sub, mosquitto_pub and every other MQTT client work the same: localhost, port ${port}.`,
  ];
}

function reach(access: Access, broker: string): string[] {
  if (access === "everybody") {
    return [`From other machines: ${networkAddresses().join(", ") || "this machine has no address but its own"}`];
  }
  return [
    "Only clients on this machine can connect. To let devices on your network in, without passwords:",
    `  ${broker} --host 0.0.0.0 --allow-anonymous`,
  ];
}

function networkAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80"))
    .map(({ address }) => address);
}
