/** Asks a time server by SNTP [RFC 4330]. */
import { createSocket } from "node:dgram";

/** From 1900, where NTP begins, to 1970, in seconds. */
const NTP_EPOCH_SECONDS = 2_208_988_800;
const NTP_PORT = 123;
const PACKET_BYTES = 48;
/** Version 4, mode client. */
const REQUEST_FLAGS = 0x23;
const MODE_SERVER = 4;
const TRANSMIT_AT = 40;

/** The server's time in milliseconds since 1970, as it was halfway between question and answer; null when it does not answer. */
export function askTimeServer(server: string, timeoutMs: number): Promise<number | null> {
  const [host = "", port = String(NTP_PORT)] = server.split(":");
  const socket = createSocket("udp4");
  return new Promise<number | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), timeoutMs);
    const done = (timeMs: number | null): void => {
      clearTimeout(timer);
      resolve(timeMs);
    };
    const request = Buffer.alloc(PACKET_BYTES);
    request[0] = REQUEST_FLAGS;
    const sentMs = performance.now();
    socket.on("error", () => done(null));
    socket.on("message", (answer) => {
      if (answer.length < PACKET_BYTES || (answer[0]! & 0x07) !== MODE_SERVER) return;
      const seconds = answer.readUInt32BE(TRANSMIT_AT);
      if (seconds === 0) return done(null);
      const milliseconds = (answer.readUInt32BE(TRANSMIT_AT + 4) * 1000) / 2 ** 32;
      done((seconds - NTP_EPOCH_SECONDS) * 1000 + milliseconds + (performance.now() - sentMs) / 2);
    });
    socket.send(request, Number(port), host, (error) => {
      if (error !== null && error !== undefined) done(null);
    });
  }).finally(() => socket.close());
}
