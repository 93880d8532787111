/**
 * Who may ask the broker about itself below `$CONTROL/`: whom a rule lets publish there, or, where there are no rules, whoever is on this
 * machine. Dynamic security needs none of this, as where it is there are rules.
 */
import type { ControlRequest, Link } from "../core/index.ts";

/** Why the client may not, in words that say what to do; null: it may. */
export function refusalOf({ connection, topicName }: ControlRequest): string | null {
  if (!connection.policy.allowsAll || isOnThisMachine(connection.link)) return null;
  const all = topicName.replace(/[^/]*$/, "#");
  return `no rule says who may ask this broker, so only clients on its own machine may; ask there, or let a user write ${topicName} and read its answers: topic readwrite ${all} in the acl_file`;
}

/** The line of the log about a refusal. */
export function refusalLine({ connection, topicName }: ControlRequest): string {
  const { clientId, link } = connection;
  return `Client ${clientId} [${link.remoteAddress}] may not ask ${topicName}: no rule says who may, and it is not on this machine.`;
}

function isOnThisMachine({ remoteAddress, localPort }: Link): boolean {
  // Of a unix socket the address is its path, unless a proxy in front tells where the client is.
  if (localPort === 0 && !/:\d+$/.test(remoteAddress)) return true;
  return /^(127\.|::ffff:127\.|::1:\d+$)/.test(remoteAddress);
}
