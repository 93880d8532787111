/** What is told about the running broker. */
export { BrokerLog, type BrokerLogOptions, type BrokerLogType } from "./broker-log.ts";
export { CaptureError, type Segment, segmentsOf } from "./capture-reader.ts";
export { type CapturedConnection, CaptureWriter } from "./capture-writer.ts";
export {
  type ConnectionRecord,
  DEFAULT_RECORDER_OPTIONS,
  FlightRecorder,
  type Incident,
  type RecorderOptions,
} from "./flight-recorder.ts";
export { Log, type LogOptions, type LogSink, printable } from "./log.ts";
export { everyOf } from "./observers.ts";
export { type Pattern, patternsOf } from "./patterns.ts";
export { type BrokenRule, type Replayed, type ReplayedPacket, replay } from "./replay.ts";
