/** One option of mosquitto.conf as a row of a table: its name, where it may stand, what it means, and how we compare with mosquitto. */
import type { BridgeDraft, Draft, ListenerDraft, PluginDraft, SecurityDraft } from "./draft.ts";
import { newListener } from "./draft.ts";
import { OptionError } from "./problem.ts";
import type { ValueKind } from "./values.ts";

/**
 * What an option belongs to. "general": the broker. "security": all listeners, or with `per_listener_settings true` the listener
 * before it. The others belong to what was begun before them; "listener-or-default" begins the default listener when there is none,
 * as mosquitto does, and "own-listener" needs one that `listener` has begun.
 */
export type OptionScope =
  | "general"
  | "security"
  | "listener"
  | "listener-or-default"
  | "own-listener"
  | "bridge"
  | "plugin";

/** How an option does beside mosquitto 2.1. */
export type Standing = "same" | "better" | "different" | "not applicable" | "ours";

/** One option. */
export interface Option {
  readonly name: string;
  /** Older names that mean the same. */
  readonly aliases: readonly string[];
  readonly scope: OptionScope;
  /** What its value looks like. */
  readonly form: string;
  /** What holds when it is not there. */
  readonly default: string;
  /** Whether SIGHUP puts another value in force. */
  readonly isReloaded: boolean;
  readonly standing: Standing;
  /** One or two sentences for the documentation: why it differs, or what is better. */
  readonly note: string;
  /** Whether mosquitto takes it only once in its place. */
  readonly isUnique: boolean;
  /** Whether mosquitto calls it deprecated, and what it says to use instead. */
  readonly deprecated: string | null;
  /**
   * Takes the text after the name into `draft`. `place` is "FILE:LINE".
   * @throws OptionError when it is not understood
   */
  apply(draft: Draft, rest: string, place: string, name: string): void;
}

/** What all rows may say. */
export interface OptionNotes {
  readonly default?: string;
  readonly aliases?: readonly string[];
  readonly isReloaded?: boolean;
  readonly standing?: Standing;
  readonly note?: string;
  readonly isUnique?: boolean;
  readonly deprecated?: string;
}

function row(name: string, scope: OptionScope, form: string, notes: OptionNotes, apply: Option["apply"]): Option {
  const isListener = scope === "listener" || scope === "listener-or-default" || scope === "own-listener";
  return {
    name,
    scope,
    form,
    aliases: notes.aliases ?? [],
    default: notes.default ?? "",
    isReloaded: notes.isReloaded ?? !(isListener || scope === "bridge" || scope === "plugin"),
    standing: notes.standing ?? "same",
    note: notes.note ?? "",
    isUnique: notes.isUnique ?? false,
    deprecated: notes.deprecated ?? null,
    apply,
  };
}

/** An option of the broker itself. */
export function general<Value>(
  name: string,
  kind: ValueKind<Value>,
  set: (draft: Draft, value: Value, place: string) => void,
  notes: OptionNotes = {},
): Option {
  return row(name, "general", kind.form, notes, (draft, rest, place, typed) =>
    set(draft, kind.read(typed, rest), place),
  );
}

/** An option of a listener. */
export function ofListener<Value>(
  name: string,
  scope: "listener" | "listener-or-default" | "own-listener",
  kind: ValueKind<Value>,
  set: (listener: ListenerDraft, value: Value, draft: Draft, place: string) => void,
  notes: OptionNotes = {},
): Option {
  return row(name, scope, kind.form, notes, (draft, rest, place, typed) => {
    const listener = listenerFor(draft, scope, typed, place);
    set(listener, kind.read(typed, rest), draft, place);
  });
}

function listenerFor(draft: Draft, scope: OptionScope, name: string, place: string): ListenerDraft {
  const { listener } = draft;
  if (listener !== null && !(scope === "own-listener" && listener.isDefault)) return listener;
  if (scope !== "listener-or-default") throw needs(name, "a listener");
  return beginDefaultListener(draft, name, place);
}

/** The default listener, which options of listeners that stand before every `listener` belong to. */
export function beginDefaultListener(draft: Draft, name: string, place: string): ListenerDraft {
  if (draft.defaultListener === null) {
    draft.notices.push(
      { place, type: "information", text: `Creating default listener due to '${name}' option.` },
      {
        place,
        type: "information",
        text: `It is best practice to define a 'listener' first. Using the '${name}' option without a listener will be disabled in the future.`,
      },
    );
    draft.defaultListener = newListener(place, true);
    draft.listeners.push(draft.defaultListener);
  }
  draft.listener = draft.defaultListener;
  return draft.defaultListener;
}

/** An option that belongs to something which must come before it. */
export function needs(name: string, what: string): OptionError {
  const example = what === "a listener" ? ' Put it below a line as "listener 1883".' : "";
  return new OptionError(`Error: The '${name}' option requires ${what} to be defined first.${example}`);
}

/** An option of who is asked about clients. */
export function ofSecurity<Value>(
  name: string,
  kind: ValueKind<Value>,
  set: (security: SecurityDraft, value: Value, draft: Draft, place: string) => void,
  notes: OptionNotes = {},
): Option {
  return row(name, "security", kind.form, notes, (draft, rest, place, typed) => {
    const security = securityFor(draft, typed);
    set(security, kind.read(typed, rest), draft, place);
  });
}

/** Who is asked about the clients that the present line is about. */
export function securityFor(draft: Draft, name: string): SecurityDraft {
  draft.hasSecurity = true;
  if (!draft.perListenerSettings) return draft.security;
  if (draft.listener === null) throw needs(name, "a listener");
  return draft.listener.security;
}

/** An option of a bridge. */
export function ofBridge<Value>(
  name: string,
  kind: ValueKind<Value>,
  set: (bridge: BridgeDraft, value: Value, draft: Draft, place: string) => void,
  notes: OptionNotes = {},
): Option {
  return row(name, "bridge", kind.form, { isReloaded: true, ...notes }, (draft, rest, place, typed) => {
    const { bridge } = draft;
    if (bridge === null) throw needs(typed, "a bridge");
    set(bridge, kind.read(typed, rest), draft, place);
  });
}

/** An option of a plugin. */
export function ofPlugin<Value>(
  name: string,
  kind: ValueKind<Value>,
  set: (plugin: PluginDraft, value: Value) => void,
  notes: OptionNotes = {},
): Option {
  return row(name, "plugin", kind.form, notes, (draft, rest, _place, typed) => {
    const { plugin } = draft;
    if (plugin === null) {
      throw new OptionError(
        `Error: The '${typed}' option requires plugin/global_plugin/plugin_load to be defined first.`,
      );
    }
    set(plugin, kind.read(typed, rest));
  });
}
