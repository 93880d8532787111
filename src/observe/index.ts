/** What is told about the running broker. */
export { BrokerLog, type BrokerLogOptions, type BrokerLogType } from "./broker-log.ts";
export { CaptureError, type Segment, segmentsOf } from "./capture-reader.ts";
export { type CapturedConnection, CaptureWriter } from "./capture-writer.ts";
export {
  type ConnectionRecord,
  DEFAULT_RECORDER_OPTIONS,
  FlightRecorder,
  type RecorderOptions,
} from "./flight-recorder.ts";
export { formatTime, type Moment, now } from "./format-time.ts";
export type { Incident } from "./incidents.ts";
export {
  Log,
  type LogDestination,
  type LogLine,
  type LogOptions,
  type LogSink,
  printable,
  textDestination,
} from "./log.ts";
export { LogFile, LogTopics, SystemLog } from "./log-destinations.ts";
export { everyOf } from "./observers.ts";
export { type Pattern, patternsOf } from "./patterns.ts";
export { type BrokenRule, type Replayed, type ReplayedPacket, replay, type UnfinishedPacket } from "./replay.ts";
export { type ProcessFacts, SysTopics } from "./sys-topics.ts";
