/**
 * mosquitto's dynamic security: clients, groups and roles in a JSON file, changed by requests to `$CONTROL/dynamic-security/v1`. It
 * lives as long as the broker: a reload does not read the file again, as whoever changes it goes through here.
 */
import { resolve } from "node:path";
import { type Broker, type Connection, type ControlRequest, respond } from "../../core/index.ts";
import type { PasswordCheck } from "../password-check.ts";
import type { AnyHash } from "../password-hash.ts";
import { replaceFile } from "../replace-file.ts";
import type { Revision } from "../rules.ts";
import type { DynamicSecurityConfig } from "../security-config.ts";
import { SecurityError } from "../security-error.ts";
import type { Asking, AuthenticationSource, Claim, Judgement, SecurityLog } from "../sources.ts";
import { readText } from "../text-lines.ts";
import type { CommandWorld } from "./command.ts";
import type { Client, SecurityData } from "./data.ts";
import { formatSecurityData, parseSecurityData } from "./data-file.ts";
import { firstData, givenPassword } from "./first-data.ts";
import { answerRequest } from "./requests.ts";
import { RoleSource } from "./role-rules.ts";

const REQUEST_TOPIC = "$CONTROL/dynamic-security/v1";
const RESPONSE_TOPIC = `${REQUEST_TOPIC}/response`;

/** Requests that wait for their turn. */
const MOST_WAITING = 1000;

/** What it works with. */
export interface DynamicSecurityParts {
  readonly broker: Broker;
  readonly log: SecurityLog;
  readonly passwordCheck: PasswordCheck;
  readonly revision: Revision;
}

/** Dynamic security of one broker. */
export class DynamicSecurity implements AuthenticationSource {
  readonly rules: RoleSource;
  readonly #path: string;
  readonly #data: SecurityData;
  readonly #parts: DynamicSecurityParts;
  /** The last request to be done; they take turns. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;

  private constructor(path: string, data: SecurityData, parts: DynamicSecurityParts) {
    this.#path = path;
    this.#data = data;
    this.#parts = parts;
    this.rules = new RoleSource(data);
    parts.broker.controls.handle(REQUEST_TOPIC, (request) => this.#take(request));
  }

  /**
   * Reads the file, or makes a first one where there is none.
   * @throws SecurityError when it cannot be used
   */
  static async open(config: DynamicSecurityConfig, parts: DynamicSecurityParts): Promise<DynamicSecurity> {
    const path = resolve(config.configFile);
    const data = (await readData(path)) ?? (await makeData(path, config, parts.log));
    return new DynamicSecurity(path, data, parts);
  }

  get path(): string {
    return this.#path;
  }

  async judge({ applicant, username, password }: Claim): Promise<Judgement> {
    if (username === null || password === null) return null;
    const client = this.#data.clients.get(username);
    const hash = client?.hash ?? null;
    const answer = await this.#parts.passwordCheck.check(password, hash);
    if (answer === "busy") {
      return { kind: "no", reason: "server-busy", why: "too many clients wait for their passwords to be checked" };
    }
    if (client === undefined) return null;
    const why = this.#fault(client, applicant.clientId, answer === "right", hash);
    return why === null ? { kind: "yes", ...(hash !== null && { hash }) } : { kind: "no", why };
  }

  #fault(client: Client, clientId: string, isRight: boolean, hash: AnyHash | null): string | null {
    // What was found out while the password was checked may be the past.
    if (!isRight || client.hash !== hash) return `the password of user ${client.name} is wrong`;
    if (client.isDisabled || this.#data.clients.get(client.name) !== client) return `user ${client.name} is disabled`;
    if (client.clientId !== null && client.clientId !== clientId)
      return `user ${client.name} must have client identifier ${client.clientId}`;
    return null;
  }

  isCurrent(username: string, hash: AnyHash): boolean | null {
    const client = this.#data.clients.get(username);
    return client === undefined ? null : client.hash === hash && !client.isDisabled;
  }

  #take(request: ControlRequest): void {
    // Who comes in by a listener with other security has no say here, whatever its rules allow.
    const { authenticator } = request.connection;
    if (!("asks" in authenticator && (authenticator as Asking).asks(this))) return;
    if (this.#waiting >= MOST_WAITING) {
      this.#parts.log("warning", `A request to ${REQUEST_TOPIC} is dropped: ${MOST_WAITING} others wait.`);
      return;
    }
    const payload = request.payload.slice();
    this.#waiting++;
    this.#turn = this.#turn
      .then(() => this.#answer(request, payload))
      .catch((error: unknown) => this.#parts.log("error", `A request to ${REQUEST_TOPIC} failed: ${String(error)}.`))
      .finally(() => this.#waiting--);
  }

  async #answer(request: ControlRequest, payload: Uint8Array): Promise<void> {
    const { broker, revision } = this.#parts;
    const kicked = new Set<string | null>();
    let isChanged = false;
    const world: CommandWorld = {
      data: this.#data,
      changed: () => {
        isChanged = true;
        this.#data.changeIndex++;
        // In force at once, whatever becomes of the file.
        revision.advance();
      },
      kick: (client) => kicked.add(client?.name ?? null),
      tell: (line) => this.#parts.log("information", `dynsec: ${administrator(request.connection)} | ${line}`),
      addressesOf: (client) => this.#addressesOf(client),
    };
    const answer = await answerRequest(world, payload);
    if (isChanged) await this.#save();
    broker.beginTurn();
    respond(request, RESPONSE_TOPIC, new TextEncoder().encode(JSON.stringify(answer)));
    // After the answer is out, which may be for one of them.
    if (kicked.size > 0) broker.later(() => broker.later(() => this.#kick(kicked)));
  }

  async #save(): Promise<void> {
    try {
      await replaceFile(this.#path, formatSecurityData(this.#data), true);
    } catch (error) {
      const why = (error as Error).message;
      this.#parts.log(
        "error",
        `Error saving Dynamic security plugin config: ${why}. Changes are lost when the broker ends.`,
      );
    }
  }

  #kick(names: ReadonlySet<string | null>): void {
    for (const connection of [...this.#parts.broker.connections]) {
      if (connection.isReady && names.has(usernameOf(connection))) connection.close("administrative-action");
    }
  }

  #addressesOf(client: Client): string[] {
    return [...this.#parts.broker.connections]
      .filter(({ isReady }) => isReady)
      .filter((connection) => usernameOf(connection) === client.name)
      .filter(({ clientId }) => client.clientId === null || client.clientId === clientId)
      .map(({ link }) => link.remoteAddress.replace(/:\d+$/, ""));
  }
}

function usernameOf({ connect }: Connection): string | null {
  return connect?.username || null;
}

function administrator(connection: Connection): string {
  return `${connection.clientId}/${usernameOf(connection) ?? "(null)"}`;
}

/** null: there is no file. @throws SecurityError */
async function readData(path: string): Promise<SecurityData | null> {
  try {
    return parseSecurityData(path, await readText(path));
  } catch (error) {
    if (error instanceof SecurityError && error.isAbsent) return null;
    throw error;
  }
}

/** @throws SecurityError */
async function makeData(path: string, config: DynamicSecurityConfig, log: SecurityLog): Promise<SecurityData> {
  log("information", "Dynamic security plugin config not found, generating a default config.");
  const given = await givenPassword(config.passwordInitFile, process.env);
  const { data, made } = await firstData(given);
  try {
    if (made.size > 0) {
      const lines = [...made].map(([name, password]) => `${name} ${password}\n`);
      await replaceFile(`${path}.pw`, lines.join(""));
      log("information", `  Generated passwords are at ${path}.pw`);
    }
    await replaceFile(path, formatSecurityData(data));
  } catch (error) {
    throw new SecurityError(path, null, `cannot be made: ${(error as Error).message}`);
  }
  return data;
}
