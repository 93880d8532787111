/** Topics as types: what is known when compiling is checked then; any other `string` passes and is checked when it is used. */

/** `T`, or never when it can be seen not to be a Topic Name: it is empty or has a wildcard. */
export type TopicName<T extends string> = string extends T
  ? T
  : T extends "" | `${string}+${string}` | `${string}#${string}`
    ? never
    : T;

/**
 * `T`, or never when it can be seen not to be a Topic Filter: it is empty, has a wildcard that is not a whole level, or # before the end,
 * or is of a shared subscription and has no group, a wildcard in it, or no filter.
 */
export type TopicFilter<T extends string> = string extends T ? T : IsFilter<T> extends true ? T : never;

type IsFilter<T extends string> = T extends `$share/${infer Shared}`
  ? Shared extends `${infer Group}/${infer Filter}`
    ? Group extends TopicName<Group>
      ? IsPlainFilter<Filter>
      : false
    : false
  : IsPlainFilter<T>;

type IsPlainFilter<T extends string> = T extends "" ? false : AreLevels<T>;

type AreLevels<T extends string> = T extends `${infer Level}/${infer Rest}`
  ? Level extends "#"
    ? false
    : IsLevel<Level> extends true
      ? AreLevels<Rest>
      : false
  : IsLevel<T>;

type IsLevel<T extends string> = T extends "+" | "#"
  ? true
  : T extends `${string}+${string}` | `${string}#${string}`
    ? false
    : true;

/** The schemes of servers' URLs. */
export type ServerScheme = "mqtt" | "mqtts" | "ws" | "wss" | "unix";

/** `T`, or never when it can be seen not to be the URL of a server. */
export type ServerUrl<T extends string> = string extends T ? T : T extends `${ServerScheme}://${string}` ? T : never;

/** One text or several. */
export type Texts = string | readonly string[];

/** `T`, or never in the place of each that can be seen not to be a Topic Filter, or when there is none. */
export type TopicFilters<T extends Texts> = T extends string
  ? TopicFilter<T>
  : T extends readonly []
    ? never
    : { readonly [I in keyof T]: T[I] extends string ? TopicFilter<T[I]> : never };

/** `T`, or never in the place of each that can be seen not to be the URL of a server, or when there is none. */
export type ServerUrls<T extends Texts> = T extends string
  ? ServerUrl<T>
  : T extends readonly []
    ? never
    : { readonly [I in keyof T]: T[I] extends string ? ServerUrl<T[I]> : never };

/** Options with a will whose topic name can be seen not to be one are none. */
export type WithWillTopic<T extends string> = { readonly will?: { readonly topicName: T & TopicName<T> } };
