/** Topics as types: what is known when compiling is checked then; any other `string` passes and is checked when it is used. */

/** `T`, or never when it can be seen not to be a Topic Name: it is empty or has a wildcard. */
export type TopicName<T extends string> = string extends T
  ? T
  : T extends "" | `${string}+${string}` | `${string}#${string}`
    ? never
    : T;

/** `T`, or never when it can be seen not to be a Topic Filter: it is empty or has a wildcard that is not a whole level, or # before the end. */
export type TopicFilter<T extends string> = string extends T
  ? T
  : T extends ""
    ? never
    : AreLevels<T> extends true
      ? T
      : never;

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
