// A broker with rules and users, ours or mosquitto, that plays the same situations: both read the same files.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_CONFIG } from "../../src/config/index.ts";
import { NO_SECURITY, type SecurityConfig } from "../../src/security/index.ts";
import { startServer } from "../../src/server/index.ts";
import { startPeer } from "../support/peers.ts";
import { freePort } from "../support/ports.ts";

/** What is guarded by what; paths are absolute. */
export interface GuardSettings {
  readonly allowAnonymous: boolean;
  readonly passwordFile?: string;
  readonly aclFile?: string;
  /** File of dynamic security. */
  readonly dynamicSecurityFile?: string;
}

export interface GuardedBroker {
  readonly port: number;
  stop(): Promise<void>;
}

/** Our broker in this process. */
export async function startGuarded(settings: GuardSettings): Promise<GuardedBroker> {
  const { allowAnonymous, passwordFile = null, aclFile = null, dynamicSecurityFile: configFile } = settings;
  const plugins: SecurityConfig["plugins"] =
    configFile === undefined ? [] : [{ kind: "dynamic-security", configFile, passwordInitFile: null }];
  const security: SecurityConfig = { ...NO_SECURITY, passwordFile, aclFile, plugins };
  const listener = { ...DEFAULT_CONFIG.listeners[0]!, port: 0, allowAnonymous, security };
  const server = await startServer({ ...DEFAULT_CONFIG, listeners: [listener] }, () => {});
  return { port: server.listeners[0]!.port, stop: async () => void (await server.close()) };
}

/** mosquitto, which must be installed. @param folder where its configuration goes */
export async function startGuardedMosquitto(folder: string, settings: GuardSettings): Promise<GuardedBroker> {
  const port = await freePort();
  const lines = [
    `listener ${port} 127.0.0.1`,
    `allow_anonymous ${settings.allowAnonymous}`,
    "log_dest stderr",
    // It would become another user, who may not read the files of a test.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    ...(settings.passwordFile === undefined ? [] : [`password_file ${settings.passwordFile}`]),
    ...(settings.dynamicSecurityFile === undefined
      ? []
      : [`plugin ${dynamicSecurityPlugin()}`, `plugin_opt_config_file ${settings.dynamicSecurityFile}`]),
    ...(settings.aclFile === undefined ? [] : [`acl_file ${settings.aclFile}`]),
  ];
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const program = startPeer("mosquitto", ["-c", file]);
  await program.printed(/running$/m);
  return { port, stop: async () => void (await program.stop()) };
}

/** Where Debian puts mosquitto's plugin. */
export function dynamicSecurityPlugin(): string {
  const libraries = "/usr/lib";
  const paths = readdirSync(libraries).map((folder) => `${libraries}/${folder}/mosquitto_dynamic_security.so`);
  return paths.find((path) => existsSync(path)) ?? "mosquitto_dynamic_security.so";
}
