/** What somebody who has just started a broker can try, with the address that it really listens on. */
import { networkInterfaces } from "node:os";
import type { Listener } from "../transport/index.ts";

/** Who can connect: clients on this machine, everybody, those with a password or certificate, or nobody until an option says so. */
export type Access = "local" | "everybody" | "users" | "nobody";

/**
 * Lines for the terminal.
 * @param startedBy what npm ran the broker as: "start", or "npx", where a shell may not find `lacewing`; undefined: it was not npm
 */
export function nextSteps(
  listeners: readonly Pick<Listener, "port">[],
  access: Access,
  startedBy: string | undefined = process.env.npm_lifecycle_event,
): string {
  const port = listeners[0]?.port ?? 0;
  const where = port === 1883 ? "" : ` -p ${port}`;
  const tool = startedBy === "start" || startedBy === "npx" ? "npx lacewing" : "lacewing";
  const broker = `${startedBy === "start" ? "npm start --" : tool}${where}`;
  const steps =
    access === "nobody"
      ? ["No client can connect yet. To let all in without passwords:", `  ${broker} --host 0.0.0.0 --allow-anonymous`]
      : [...trials(port, tool, where), ...reach(access, broker)];
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
