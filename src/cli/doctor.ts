/** `lacewing doctor`: what is wrong between here and a broker. */
import { randomBytes } from "node:crypto";
import { examine, LAYERS, systemSurroundings, type Target } from "../doctor/index.ts";
import type { Version } from "../protocol/index.ts";
import { diagnosisJson, findingText, notReachedText, verdictText } from "./doctor-text.ts";
import { languageOf } from "./language.ts";
import { waysTo } from "./layered-connector.ts";
import { connectionOf } from "./options/connection-options.ts";
import { DOCTOR_COMMAND, type DoctorOptions, idleMsOf, withPlace } from "./options/doctor-options.ts";
import type { ServerArguments } from "./options/server-options.ts";
import type { ToolIo } from "./output.ts";
import { textLayout } from "./text-layout.ts";
import { runTool, withOutput } from "./tool.ts";

/** Versions in the order of preference. */
const VERSIONS: readonly Version[] = [5, 4, 3];

/** Runs `lacewing doctor` and returns its exit code. */
export function runDoctor(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(DOCTOR_COMMAND, withPlace(args), io, (parsed) => {
    const language = languageOf(parsed.lang, io.env ?? {});
    const layout = textLayout(io);
    return withOutput(io, parsed.quiet, {}, async ({ out }) => {
      const target = await targetOf(parsed, io);
      const diagnosis = await examine(target, systemSurroundings(parsed.timeServer), (finding) => {
        if (!parsed.json && finding.state !== "not reached") out.write(findingText(finding, language, layout));
      });
      const { verdict } = diagnosis;
      if (parsed.json) out.write(`${JSON.stringify(diagnosisJson(diagnosis, target, language))}\n`);
      else out.write(notReachedText(diagnosis, language, layout) + verdictText(verdict, target, language, layout));
      return verdict === null ? 0 : LAYERS[verdict.layer].exitCode;
    });
  });
}

async function targetOf(parsed: DoctorOptions, io: ToolIo): Promise<Target> {
  const idleMs = idleMsOf(parsed.idle);
  const { version, clientId: givenId, ...connection } = connectionOf(parsed);
  const clientId = givenId === "" ? `lacewing-${randomBytes(6).toString("hex")}` : givenId;
  const { username, password, keepAliveSeconds, will, host, port, webSocketPath } = connection;
  return {
    ...(await waysTo(connection, io)),
    ...{ host, port, webSocketPath, username, password, will, clientId, idleMs },
    firstHop: firstHopOf(connection),
    versions: parsed.version === undefined ? VERSIONS : [version],
    // An idle time that is longer would be ended by the keep-alive and not by what is looked for.
    keepAliveSeconds: Math.min(65_535, Math.max(keepAliveSeconds, Math.ceil(idleMs / 1000) * 2)),
    topic: parsed.topic || `lacewing/doctor/${clientId}`,
    timeoutMs: parsed.timeout * 1000,
  };
}

function firstHopOf({ unixPath, usesSrv, proxy, host, port }: ServerArguments): Target["firstHop"] {
  if (unixPath !== null || usesSrv) return null;
  return proxy === null ? { host, port } : { host: proxy.host, port: proxy.port };
}
