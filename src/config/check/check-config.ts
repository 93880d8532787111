/** `lacewing config check`: what a configuration comes to, and what is dangerous in it. Reads files, opens nothing, changes nothing. */
import { examineSecurityFiles, type SecurityConfig, type SecurityFile } from "../../security/index.ts";
import { formatAddress } from "../../transport/index.ts";
import type { ListenerConfig } from "../listener-config.ts";
import type { ReadConfig } from "../read-config.ts";
import { dangersOfBridge } from "./bridge-dangers.ts";
import { bridgeSettings } from "./bridge-settings.ts";
import { checkCertificates } from "./certificates.ts";
import { dangersOfBroker, dangersOfFile, dangersOfFolder, dangersOfListener } from "./dangers.ts";
import { brokerSettings, listenerSettings } from "./effective-settings.ts";
import { type Finding, finding } from "./finding.ts";
import { missingFolders } from "./missing-folders.ts";
import type { SettingGroup } from "./setting.ts";

/** One listener. */
export interface ListenerReport {
  /** "ADDRESS:PORT", with * for all addresses, or the path of a unix socket. */
  readonly name: string;
  readonly place: string | null;
  readonly settings: readonly SettingGroup[];
  /** What is in its files: certificates, users, rules. */
  readonly contents: readonly string[];
}

/** One bridge. */
export interface BridgeReport {
  readonly name: string;
  readonly place: string;
  readonly settings: readonly SettingGroup[];
}

/** Everything that was found out. */
export interface ConfigReport {
  readonly files: readonly string[];
  readonly listeners: readonly ListenerReport[];
  readonly bridges: readonly BridgeReport[];
  readonly broker: readonly SettingGroup[];
  /** Errors first, then warnings, then notes. */
  readonly findings: readonly Finding[];
}

const LEVELS: readonly Finding["level"][] = ["error", "warning", "note"];

/**
 * @param nowMs wall clock, in milliseconds since 1970
 * @param others what was found out elsewhere, as of the user that the broker becomes
 */
export async function checkConfig(
  { config, notices, files }: ReadConfig,
  nowMs: number,
  others: readonly Finding[] = [],
): Promise<ConfigReport> {
  const ofReading = notices.map(({ place, type, text }) =>
    finding(type === "warning" ? "warning" : "note", place, text.replace(/^(Warning|Note): /, "")),
  );
  const findings: Finding[] = [...ofReading, ...others];
  const listeners: ListenerReport[] = [];
  const known = new Map<SecurityConfig, readonly SecurityFile[]>();
  for (const listener of config.listeners) {
    const { security } = listener;
    let own = known.get(security);
    if (own === undefined) {
      known.set(security, (own = await examineSecurityFiles(security)));
      for (const file of own) findings.push(...(await dangersOfFile(file)));
    }
    const certificates = await checkCertificates(listener, nowMs);
    findings.push(...dangersOfListener(listener), ...(await dangersOfFolder(listener)), ...certificates.findings);
    listeners.push(reportOf(listener, [...certificates.lines, ...own.flatMap(contentOf)]));
  }
  for (const bridge of config.bridges) findings.push(...(await dangersOfBridge(bridge, config, nowMs)));
  findings.push(...dangersOfBroker(config), ...(await missingFolders(config)));
  const bridges = config.bridges.map((bridge) => ({
    name: bridge.name,
    place: bridge.place,
    settings: bridgeSettings(bridge),
  }));
  return { files, listeners, bridges, broker: brokerSettings(config), findings: sorted(findings) };
}

function reportOf(listener: ListenerConfig, contents: readonly string[]): ListenerReport {
  const { entrance, host, port, place } = listener;
  const name = host?.includes(":") ? formatAddress(host, port) : entrance.name;
  return { name, place, settings: listenerSettings(listener), contents };
}

function contentOf({ path, holds, count }: SecurityFile): readonly string[] {
  return count === null ? [] : [`${path}: ${count} ${count === 1 ? holds.slice(0, -1) : holds}`];
}

/** Each once, the worst first. */
function sorted(findings: readonly Finding[]): readonly Finding[] {
  const once = new Map(findings.map((each) => [JSON.stringify(each), each]));
  return [...once.values()].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
}
