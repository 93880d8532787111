/** Who is asked whether a client may come in and what it may do: mosquitto's options, and ours, as typed values. */
import type { IdentityAsUsername } from "../core/index.ts";
import type { AclLists } from "./acl-file.ts";
import type { Plugin, PluginFactory } from "./plugin.ts";

/** mosquitto's dynamic security: users, groups and roles in a JSON file, changed by `$CONTROL/dynamic-security/v1`. */
export interface DynamicSecurityConfig {
  readonly kind: "dynamic-security";
  /** `plugin_opt_config_file` */
  readonly configFile: string;
  /** `plugin_opt_password_init_file`: where the first administrator's password is read from, or written to. */
  readonly passwordInitFile: string | null;
}

/** JSON web tokens as passwords: `plugin lacewing_jwt`. */
export interface JwtConfig {
  readonly kind: "jwt";
  /** `plugin_opt_jwks_file`: keys as JSON (JWKS). */
  readonly jwksFile: string | null;
  /** `plugin_opt_secret_file`: the secret of HS256, HS384 and HS512. */
  readonly secretFile: string | null;
  /** `plugin_opt_public_key_file`: one PEM key of RS* or ES*. */
  readonly publicKeyFile: string | null;
  /** `plugin_opt_issuer`: what `iss` must be; null: not looked at. */
  readonly issuer: string | null;
  /** `plugin_opt_audience`: what `aud` must name; null: not looked at. */
  readonly audience: string | null;
  /** `plugin_opt_username_claim`: claim that names the user. */
  readonly usernameClaim: string;
  /** `plugin_opt_leeway_seconds`: how far clocks may be apart; absent: 30. */
  readonly leewaySeconds?: number;
}

/** Asks a web service about each CONNECT: `plugin lacewing_http`. */
export interface HttpAuthConfig {
  readonly kind: "http";
  /** `plugin_opt_url`: gets a POST with JSON. */
  readonly url: string;
  /** `plugin_opt_timeout_ms`: 1..60,000; a late answer is a refusal. */
  readonly timeoutMs: number;
  /** `plugin_opt_cache_seconds`: how long an answer is remembered; 0: never. */
  readonly cacheSeconds: number;
}

/** 5.0 enhanced authentication by SCRAM-SHA-256: `plugin lacewing_scram`. */
export interface ScramConfig {
  readonly kind: "scram";
  /** `plugin_opt_file`: lines of `USERNAME:SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`: PostgreSQL's verifiers with a name before them. */
  readonly file: string;
}

/** mosquitto 2.1's plugins for its own two files, which do what `password_file` and `acl_file` do. */
export interface FilePluginConfig {
  readonly kind: "password-file" | "acl-file";
  readonly file: string;
}

/** A plugin of the user: an ES module whose default export makes a `Plugin`. */
export interface ModulePluginConfig {
  readonly kind: "module";
  /** Path of a `.mjs` or `.js` file. */
  readonly path: string;
  /** `plugin_opt_*` in order, without the prefix. */
  readonly options: ReadonlyMap<string, string>;
}

/** A plugin that is here already, as an application that has the broker in it gives one. */
export interface GivenPluginConfig {
  readonly kind: "given";
  /** What the log calls it. */
  readonly name: string;
  readonly plugin: Plugin | PluginFactory;
}

/** Rules as lists, in place of an ACL file. */
export interface AclListsConfig {
  readonly kind: "acl-lists";
  readonly lists: AclLists;
}

/** One more who is asked, in the order in which they are configured. */
export type SecurityPlugin =
  | DynamicSecurityConfig
  | JwtConfig
  | HttpAuthConfig
  | ScramConfig
  | FilePluginConfig
  | ModulePluginConfig
  | GivenPluginConfig
  | AclListsConfig;

/** Who is asked. Listeners that share their security share one object. */
export interface SecurityConfig {
  /** `password_file`: null: none. */
  readonly passwordFile: string | null;
  /** `acl_file`: null: none. */
  readonly aclFile: string | null;
  /** `psk_file`: keys of listeners with `psk_hint`; null: none. */
  readonly pskFile: string | null;
  /** Asked after the files, those of all listeners first. */
  readonly plugins: readonly SecurityPlugin[];
  /** `auth_plugin_deny_special_chars`: whether plugins deny whatever a client with `+` or `#` in its name or identifier asks. */
  readonly denySpecialCharacters: boolean;
  /** `lacewing_acl_refuse_subscriptions`: whether a SUBSCRIBE that nothing can ever come through is refused, not granted and logged. */
  readonly refuseSubscriptions: boolean;
}

/** Nobody to ask: only anonymous clients, where those are allowed. */
export const NO_SECURITY: SecurityConfig = {
  passwordFile: null,
  aclFile: null,
  pskFile: null,
  plugins: [],
  denySpecialCharacters: true,
  refuseSubscriptions: false,
};

/** What is asked of clients at one listener. */
export interface AccessOptions {
  /** Whether clients without user name may come in. */
  readonly allowAnonymous: boolean;
  /** What of a certificate or key takes the place of the user name, so that nobody is asked for a password; null: nothing. */
  readonly identityAsUsername: IdentityAsUsername | null;
}
