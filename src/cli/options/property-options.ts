/** -D: properties of MQTT 5, by the names of the specification with "-" between the words. */
import {
  encodeUtf8,
  inOrder,
  NO_PROPERTIES,
  PROPERTIES,
  type Properties,
  topicNameFault,
} from "../../protocol/index.ts";
import { CommandLineError, type Given, type OptionTable } from "../command-line.ts";

/** What properties can be given to. */
const PACKETS = ["CONNECT", "PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE", "DISCONNECT", "WILL"] as const;

/** One of them. */
export type PropertyOwner = (typeof PACKETS)[number];

/** The properties of each. */
export type GivenProperties = Readonly<Record<PropertyOwner, Properties>>;

/** Packets that the tools send, or not, by themselves: mosquitto's take no properties for them either. */
const UNSUPPORTED: readonly string[] = ["PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "AUTH"];

const USER_PROPERTY = "user-property";

/** The table. */
export const PROPERTY_OPTIONS = {
  property: {
    group: "Who we are",
    short: "D",
    long: "property",
    type: "words",
    argument: "command name value",
    repeatable: true,
    countOf: (words: readonly string[]): number => (words[1]?.toLowerCase() === USER_PROPERTY ? 4 : 3),
    tooFew: "--property argument given but not enough arguments specified.",
    gives: (_words: readonly string[]): Given => ({ version: 5 }),
    help: "Property of a packet: CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT or WILL. A user-property has a name and a value. Selects version 5.",
  },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
PROPERTY_OPTIONS satisfies OptionTable;

type Property = (typeof PROPERTIES)[number];
type Values = { -readonly [Field in keyof Properties]: unknown };

const BY_NAME: ReadonlyMap<string, Property> = new Map(
  PROPERTIES.map((property) => [property.name.toLowerCase().replaceAll(" ", "-"), property]),
);

/**
 * Reads all -D.
 * @throws CommandLineError when one is not known, does not belong there, is out of range, or is there twice
 */
export function givenProperties(given: readonly (readonly string[])[]): GivenProperties {
  const values = new Map<PropertyOwner, { readonly of: Values; readonly order: number[] }>();
  for (const words of given) {
    const owner = ownerOf(words);
    const { of, order } = values.get(owner) ?? { of: {}, order: [] };
    values.set(owner, { of, order });
    order.push(add(owner, of, words));
  }
  const entries = PACKETS.map((owner) => {
    const its = values.get(owner);
    return [owner, its === undefined ? NO_PROPERTIES : inOrder(its.of as Properties, its.order)];
  });
  return Object.fromEntries(entries) as GivenProperties;
}

function ownerOf([command, name]: readonly string[]): PropertyOwner {
  const upper = command!.toUpperCase();
  const owner = PACKETS.find((packet) => packet === upper);
  if (owner !== undefined) return owner;
  throw new CommandLineError(
    UNSUPPORTED.includes(upper)
      ? `${name} property not supported for ${command} in --property argument.`
      : `Invalid command ${command} given in --property argument.`,
  );
}

/** Returns the property's identifier. */
function add(owner: PropertyOwner, values: Values, [command, typed, ...words]: readonly string[]): number {
  const name = typed!.toLowerCase();
  const property = BY_NAME.get(name);
  if (property === undefined)
    throw new CommandLineError(`Invalid property name ${typed} given in --property argument.`);
  if (!property.on.includes(owner)) {
    throw new CommandLineError(`${name} property not allowed for ${command} in --property argument.`);
  }
  if (property.kind === "pair") {
    values.userProperties = [...((values.userProperties as [string, string][] | undefined) ?? []), words];
    return property.id;
  }
  if (owner === "PUBLISH" && property.field === "subscriptionIdentifiers") {
    throw new CommandLineError(`${name} property not supported for ${command} in --property argument.`);
  }
  if (values[property.field] !== undefined) {
    throw new CommandLineError(`Error in ${owner} properties: Duplicate property in property list: ${name}.`);
  }
  values[property.field] = propertyValue(property, name, words[0]!);
  return property.id;
}

const LARGEST: Readonly<Partial<Record<Property["kind"], number>>> = {
  byte: 255,
  bool: 1,
  u16: 65_535,
  u32: 4_294_967_295,
  varint: 268_435_455,
};

function propertyValue(property: Property, name: string, text: string): unknown {
  switch (property.kind) {
    case "utf8":
      return text;
    case "topic":
      if (topicNameFault(text, Number.POSITIVE_INFINITY) === null) return text;
      throw new CommandLineError(`Invalid ${name} '${text}', does it contain '+' or '#'?`);
    case "binary":
      return encodeUtf8(text);
    default: {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      const largest = property.max ?? LARGEST[property.kind]!;
      if (!(value >= (property.min ?? 0) && value <= largest)) {
        const allowed = `${property.min ?? 0} to ${largest}`;
        throw new CommandLineError(
          `Property value (${text}) out of range for property ${name}; allowed is ${allowed}.`,
        );
      }
      if (property.kind === "bool") return value === 1;
      return property.field === "subscriptionIdentifiers" ? [value] : value;
    }
  }
}
