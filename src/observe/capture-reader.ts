/**
 * Reads captures, pcap and pcapng, wherever they were taken, and gives back what each side of each TCP connection said, in order.
 * Anything that is no TCP over IP is left out.
 */

/** A file that is no capture, or one of a kind that cannot be read: what is wrong and what is allowed. */
export class CaptureError extends Error {
  override readonly name: string = "CaptureError";
}

/** Bytes of one side at one moment. */
export interface Segment {
  readonly from: string;
  readonly to: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly bytes: Uint8Array;
  readonly sequence: number;
  readonly isFirst: boolean;
}

const ETHERNET = 1;
const RAW = [12, 14, 101];
const NULL = [0, 108];
const LINUX_COOKED = 113;
const LINUX_COOKED_2 = 276;
const TCP = 6;

/** All TCP segments of a capture that carry bytes or begin a connection. */
export function segmentsOf(file: Uint8Array): readonly Segment[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const frames = bytes.length >= 4 && bytes.readUInt32LE(0) === 0x0a0d0d0a ? pcapng(bytes) : pcap(bytes);
  return [...frames].flatMap(({ link, atMs, frame }) => {
    const segment = tcpOf(ipOf(link, frame));
    return segment === null ? [] : [{ ...segment, atMs }];
  });
}

interface Frame {
  readonly link: number;
  readonly atMs: number;
  readonly frame: Buffer;
}

function* pcap(bytes: Buffer): IterableIterator<Frame> {
  const magic = bytes.length >= 24 ? bytes.readUInt32LE(0) : 0;
  const isLittle = magic === 0xa1b2c3d4 || magic === 0xa1b23c4d;
  const swapped = bytes.length >= 24 ? bytes.readUInt32BE(0) : 0;
  if (!isLittle && swapped !== 0xa1b2c3d4 && swapped !== 0xa1b23c4d)
    throw new CaptureError("this is no capture; a file of Wireshark, tshark or tcpdump is expected (pcap or pcapng)");
  const u32 = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const fractions = (isLittle ? magic : swapped) === 0xa1b23c4d ? 1e6 : 1e3;
  const link = u32(20) & 0xffff;
  for (let at = 24; at + 16 <= bytes.length; ) {
    const length = u32(at + 8);
    if (at + 16 + length > bytes.length) return;
    const atMs = u32(at) * 1000 + u32(at + 4) / fractions;
    yield { link, atMs, frame: bytes.subarray(at + 16, at + 16 + length) };
    at += 16 + length;
  }
}

interface Interface {
  readonly link: number;
  /** Ticks in a second. */
  readonly resolution: number;
}

function* pcapng(bytes: Buffer): IterableIterator<Frame> {
  let isLittle = true;
  let interfaces: Interface[] = [];
  const u32 = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  for (let at = 0; at + 12 <= bytes.length; ) {
    const type = bytes.readUInt32LE(at);
    if (type === 0x0a0d0d0a) {
      isLittle = bytes.readUInt32LE(at + 8) === 0x1a2b3c4d;
      interfaces = [];
    }
    const length = u32(at + 4);
    if (length < 12 || at + length > bytes.length) return;
    const kind = u32(at);
    if (kind === 1) interfaces.push(interfaceOf(bytes.subarray(at + 8, at + length - 4), isLittle));
    if (kind === 6 && length >= 32) {
      const from = interfaces[u32(at + 8)];
      const captured = u32(at + 20);
      if (from !== undefined && 32 + captured <= length) {
        const ticks = u32(at + 12) * 2 ** 32 + u32(at + 16);
        const frame = bytes.subarray(at + 28, at + 28 + captured);
        yield { link: from.link, atMs: (ticks / from.resolution) * 1000, frame };
      }
    }
    at += length;
  }
}

function interfaceOf(block: Buffer, isLittle: boolean): Interface {
  const u16 = (at: number): number => (isLittle ? block.readUInt16LE(at) : block.readUInt16BE(at));
  let resolution = 1e6;
  for (let at = 8; at + 4 <= block.length; ) {
    const [code, length] = [u16(at), u16(at + 2)];
    if (code === 0) break;
    if (code === 9 && length === 1) {
      const value = block[at + 4]!;
      resolution = (value & 0x80) === 0 ? 10 ** value : 2 ** (value & 0x7f);
    }
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { link: u16(0), resolution };
}

/** The IP packet in a frame; null when there is none. */
function ipOf(link: number, frame: Buffer): Buffer | null {
  if (RAW.includes(link)) return frame;
  if (NULL.includes(link)) return frame.subarray(4);
  if (link === LINUX_COOKED) return frame.subarray(16);
  if (link === LINUX_COOKED_2) return frame.subarray(20);
  if (link !== ETHERNET || frame.length < 14) return null;
  let at = 12;
  // VLAN tags.
  while (at + 4 <= frame.length && [0x8100, 0x88a8].includes(frame.readUInt16BE(at))) at += 4;
  return frame.subarray(at + 2);
}

function tcpOf(ip: Buffer | null): Omit<Segment, "atMs"> | null {
  if (ip === null || ip.length < 20) return null;
  const version = ip[0]! >> 4;
  if (version === 4) {
    const head = (ip[0]! & 0x0f) * 4;
    const total = Math.min(ip.readUInt16BE(2) || ip.length, ip.length);
    if (ip[9] !== TCP || head < 20 || total < head) return null;
    const address = (at: number): string => [...ip.subarray(at, at + 4)].join(".");
    return segmentOf(ip.subarray(head, total), address(12), address(16));
  }
  if (version !== 6 || ip.length < 40 || ip[6] !== TCP) return null;
  const address = (at: number): string => `[${(ip.toString("hex", at, at + 16).match(/.{4}/g) ?? []).join(":")}]`;
  return segmentOf(ip.subarray(40, 40 + ip.readUInt16BE(4)), address(8), address(24));
}

function segmentOf(tcp: Buffer, from: string, to: string): Omit<Segment, "atMs"> | null {
  if (tcp.length < 20) return null;
  const head = (tcp[12]! >> 4) * 4;
  if (head < 20 || head > tcp.length) return null;
  const isFirst = (tcp[13]! & 0x02) !== 0;
  const bytes = tcp.subarray(head);
  if (bytes.length === 0 && !isFirst) return null;
  return {
    from: `${from}:${tcp.readUInt16BE(0)}`,
    to: `${to}:${tcp.readUInt16BE(2)}`,
    bytes,
    sequence: tcp.readUInt32BE(4) + (isFirst ? 1 : 0),
    isFirst,
  };
}
