// A DNS server that knows SRV records and nothing else.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";

/** An SRV record [RFC 2782]. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

const SRV = 33;
const INTERNET = 1;
/** Bytes before the question. */
const HEADER_BYTES = 12;
const RESPONSE = 0x8180;
const NO_SUCH_NAME = 3;

/** Starts one and returns its address, as `setServers` takes it. */
export async function startDns(
  context: TestContext,
  records: Readonly<Record<string, readonly SrvRecord[]>>,
): Promise<string> {
  const socket = createSocket("udp4");
  context.after(() => socket.close());
  socket.on("message", (query, { port, address }) => {
    const { name, end } = nameIn(query);
    const found = records[name.toLowerCase()] ?? [];
    const head = Buffer.alloc(HEADER_BYTES);
    head.writeUInt16BE(query.readUInt16BE(0), 0);
    head.writeUInt16BE(found.length === 0 ? RESPONSE | NO_SUCH_NAME : RESPONSE, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(found.length, 6);
    // The name, its type and its class.
    const question = query.subarray(HEADER_BYTES, end + 4);
    socket.send(Buffer.concat([head, question, ...found.map(answer)]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return `127.0.0.1:${socket.address().port}`;
}

function nameIn(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}

function answer({ priority, weight, port, target }: SrvRecord): Buffer {
  const labels = target.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const name = Buffer.concat([...labels, Buffer.of(0)]);
  // The name is that of the question, which stands behind the header.
  const numbers = [0xc000 | HEADER_BYTES, SRV, INTERNET, 0, 60, 6 + name.length, priority, weight, port];
  return Buffer.concat([...numbers.map((number) => Buffer.of(number >> 8, number & 0xff)), name]);
}
