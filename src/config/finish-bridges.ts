/** Puts bridges together. */
import type { BridgeConfig } from "./bridge-config.ts";
import type { BridgeDraft, Draft } from "./draft.ts";

/** The bridges; what is missing or doubled is added to the problems of the draft. */
export function finishBridges(draft: Draft): readonly BridgeConfig[] {
  const ids = new Map<string, BridgeConfig>();
  const bridges = draft.bridges.map((bridge) => {
    const finished = finish(bridge);
    for (const text of contradictions(bridge)) draft.problems.push({ place: finished.place, text });
    if (finished.psk !== null && !/^([0-9a-f]{2})+$/i.test(finished.psk.key)) {
      const text = "Error: Invalid 'bridge_psk' value. Allowed is a key in hexadecimal, without 0x.";
      draft.problems.push({ place: bridge.pskKeyPlace, text });
    }
    return finished;
  });
  for (const bridge of bridges) {
    const id = bridge.localClientId ?? `local.${bridge.remoteClientId ?? `HOSTNAME.${bridge.name}`}`;
    if (ids.has(id)) {
      draft.problems.push({
        place: bridge.place,
        text: `Error: Bridge local_clientid '${id}' is not unique. Try changing or setting the local_clientid value for one of the bridges.`,
      });
    }
    ids.set(id, bridge);
  }
  return bridges;
}

function finish({ settings, addresses, topics, tls, isTls, pskIdentity, pskKey }: BridgeDraft): BridgeConfig {
  return {
    ...settings,
    addresses,
    topics,
    tls: isTls ? tls : null,
    psk: pskIdentity === null || pskKey === null ? null : { identity: pskIdentity, key: pskKey },
  };
}

function* contradictions(bridge: BridgeDraft): Iterable<string> {
  const { addresses, topics, tls, pskIdentity, pskKey, settings } = bridge;
  const of = `of '${settings.name}'`;
  if (addresses.length === 0)
    yield `Error: Invalid bridge configuration: no remote addresses defined. Put "address HOST:PORT" below connection ${settings.name}.`;
  if (topics.length === 0)
    yield `Error: Invalid bridge configuration: no topics defined. Put "topic # out" or the like below connection ${settings.name}.`;
  if (pskKey !== null && pskIdentity === null) yield "Error: Invalid bridge configuration: missing bridge_identity.";
  if (pskIdentity !== null && pskKey === null) yield "Error: Invalid bridge configuration: missing bridge_psk.";
  if ((tls.certFile === null) !== (tls.keyFile === null))
    yield `Error: Invalid bridge configuration ${of}: bridge_certfile and bridge_keyfile belong together.`;
  if (bridge.isTls && tls.caFile === null && tls.caPath === null && !tls.useSystemCas)
    yield `Error: Invalid bridge configuration ${of}: TLS needs bridge_cafile, bridge_capath or bridge_tls_use_os_certs true, which say whom to trust.`;
  if (settings.remotePassword !== null && settings.remoteUsername === null)
    yield `Error: Invalid bridge configuration ${of}: remote_password needs remote_username.`;
}
