/**
 * What lies where in the store's LMDB file, version 3. Everything that reads or writes records takes their layout from here and from
 * `records.ts`; whoever changes either adds a version and a step to `migrations.ts`.
 *
 * Integers in keys are big-endian, so that the order of keys is the order of numbers: `u48` is six bytes. A Session is named by a
 * number that is never used again while anything of it is left; its Client Identifier is in its record only. A text in a key is
 * 0x00 and its UTF-8 bytes, or, over 255 bytes, 0x01 and their SHA-256, and then the text is in the value too. Each value ends with
 * the CRC-32 of key and value.
 *
 * | database      | key                             | value                                                                      |
 * | ------------- | ------------------------------- | -------------------------------------------------------------------------- |
 * | meta          | name                            | schema: version u32; journal: number u48 of the last batch that is here    |
 * | clock         | 0x00                            | aheadMs f64                                                                |
 * | sessions      | session u48                     | flags, expirySeconds u32, disconnectedAtMs f64, texts, lastPacketId u16    |
 * | subscriptions | session u48, text(topic filter) | flags, subscriptionId u32, the filter if it is not in the key              |
 * | deliveries    | session u48, order u48          | message u48, flags, packetId u16, payloadBytes u32, identifiers, share     |
 * | received      | session u48, packetId u16       | nothing                                                                    |
 * | wills         | session u48                     | delaySeconds u32, dueAtMs f64, publish                                     |
 * | shares        | text(share), order u48          | message u48, the share if it is not in the key                             |
 * | retained      | text(topic name)                | message u48, the topic if it is not in the key                             |
 * | messages      | message u48                     | flags, expiresAtMs f64, lengths and texts of publisher and source, publish |
 * | references    | message u48                     | how many records refer to the message, u32; no record: one                 |
 * | dropped       | session u48                     | nothing: the Session has ended, and what is left of it goes bit by bit     |
 * | quarantine    | number u48                      | a record that did not match its CRC-32: name of database, key, value       |
 *
 * References are counted for deliveries, shares and retained, the three whose values begin with a message. A delivery whose message
 * the receiver already has holds `NO_MESSAGE`.
 */

/** The layout that this release writes. */
export const SCHEMA_VERSION = 3;
/** Where the file says its version, in "meta". */
export const SCHEMA_KEY: Uint8Array = Buffer.from("schema");
/** Where it says up to which batch of the journal it is. */
export const JOURNAL_KEY: Uint8Array = Buffer.from("journal");

/** Databases by their number, by which batches, also those in a journal, name them: what is new goes to the end. */
export const DATABASES = [
  "meta",
  "clock",
  "sessions",
  "subscriptions",
  "deliveries",
  "received",
  "wills",
  "shares",
  "retained",
  "messages",
  "references",
  "dropped",
  "quarantine",
] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** The number of each database. */
export const DATABASE = Object.fromEntries(DATABASES.map((name, index) => [name, index])) as Readonly<
  Record<DatabaseName, number>
>;

/** Databases whose values begin with the message that they refer to. */
export const REFERRING: readonly DatabaseName[] = ["deliveries", "shares", "retained"];
/** Databases whose keys begin with a Session: what goes when it ends. */
export const OF_SESSIONS: readonly DatabaseName[] = ["subscriptions", "deliveries", "received", "wills"];

/** Stands in a delivery that needs no message any more. No message has this key. */
export const NO_MESSAGE: number = 2 ** 48 - 1;
export const CRC_BYTES = 4;
