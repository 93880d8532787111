/** What is told about the running broker. */
export { BrokerLog, type BrokerLogOptions, type BrokerLogType } from "./broker-log.ts";
export { Log, type LogOptions, type LogSink, printable } from "./log.ts";
