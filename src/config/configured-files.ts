/** The files that a broker under a Config reads and writes while it runs, so that whoever chooses its user can say what that one lacks. */
import type { BridgeConfig } from "./bridge-config.ts";
import type { Config } from "./config.ts";
import type { ListenerConfig } from "./listener-config.ts";

/**
 * One file, and what is done with it. "read": also on SIGHUP. "write": changed in place, or made. "replace": read, and another one put
 * in its place. "make": made in its folder anew at each start. "fill": a folder in which files are made.
 */
export interface ConfiguredFile {
  readonly path: string;
  readonly use: "read" | "write" | "replace" | "make" | "fill";
}

/** @param files those that the Config was read from */
export function configuredFiles(config: Config, files: readonly string[]): readonly ConfiguredFile[] {
  const { log, persistence, process, listeners, bridges } = config;
  const found: ConfiguredFile[] = [
    ...reading(files),
    ...log.destinations.flatMap((to): ConfiguredFile[] =>
      to.kind === "file" ? [{ path: to.path, use: "write" }] : [],
    ),
    ...listeners.flatMap(ofListener),
    ...bridges.flatMap(ofBridge),
  ];
  if (persistence.enabled) found.push({ path: persistence.location, use: "fill" });
  if (process.tlsKeyLog !== null) found.push({ path: process.tlsKeyLog, use: "write" });
  if (process.pidFile !== null) found.push({ path: process.pidFile, use: "make" });
  return [...new Map(found.map((file) => [`${file.use} ${file.path}`, file])).values()];
}

function reading(paths: readonly (string | null)[]): ConfiguredFile[] {
  return paths.flatMap((path) => (path === null ? [] : [{ path, use: "read" }]));
}

function ofListener({ tls, security, webSocket, unixPath }: ListenerConfig): ConfiguredFile[] {
  const { passwordFile, aclFile, pskFile, plugins } = security;
  const certificates =
    tls === null ? [] : [tls, ...tls.sniCertificates].flatMap((pair) => [pair.certFile, pair.keyFile]);
  const authorities = tls === null ? [] : [tls.caFile, tls.caPath, tls.crlFile];
  return [
    ...reading([...certificates, ...authorities, passwordFile, aclFile, pskFile, webSocket.httpDir]),
    ...plugins.flatMap(ofPlugin),
    ...(unixPath === null ? [] : [{ path: unixPath, use: "make" } as const]),
  ];
}

function ofPlugin(plugin: ListenerConfig["security"]["plugins"][number]): ConfiguredFile[] {
  switch (plugin.kind) {
    case "dynamic-security":
      return [{ path: plugin.configFile, use: "replace" }];
    case "jwt":
      return reading([plugin.jwksFile, plugin.secretFile, plugin.publicKeyFile]);
    case "module":
      return reading([plugin.path]);
    case "scram":
    case "password-file":
    case "acl-file":
      return reading([plugin.file]);
    default:
      return [];
  }
}

function ofBridge({ tls }: BridgeConfig): ConfiguredFile[] {
  return tls === null ? [] : reading([tls.caFile, tls.caPath, tls.certFile, tls.keyFile]);
}
