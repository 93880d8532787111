/**
 * The last word of a server to a client of TLS 1.3 whose certificate it refuses. Node's TLS judges certificates when the handshake is over,
 * and can then only close, where OpenSSL by itself sends an alert. So the record of the alert is made here, with the server's traffic
 * secret [RFC 8446 §5.2, §7.1, §7.3], and written below TLS.
 */
import { type CipherGCMTypes, createCipheriv, createHmac } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** A cipher suite of TLS 1.3 in the words of `node:crypto`. */
interface Suite {
  readonly cipher: CipherGCMTypes | "chacha20-poly1305";
  readonly keyBytes: number;
  readonly hash: "sha256" | "sha384";
}

/** By OpenSSL's names. */
const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: "aes-128-gcm", keyBytes: 16, hash: "sha256" },
  TLS_AES_256_GCM_SHA384: { cipher: "aes-256-gcm", keyBytes: 32, hash: "sha384" },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: "chacha20-poly1305", keyBytes: 32, hash: "sha256" },
};

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const FATAL = 2;
const CONTENT_ALERT = 21;
const CONTENT_APPLICATION_DATA = 23;

/** Records that OpenSSL sends right after a handshake: tickets by which the client may resume the session. */
const TICKETS = { whole: 2, resumed: 1 } as const;

/** A line of NSS's key log that has the secret of what a server of TLS 1.3 writes after the handshake. */
const SECRET_LINE = /^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} ([0-9a-f]+)$/;

/** The secret in a line of the key log; null: it is of another kind. */
export function serverTrafficSecret(line: Buffer): Buffer | null {
  const secret = SECRET_LINE.exec(line.toString("latin1").trimEnd())?.[1];
  return secret === undefined ? null : Buffer.from(secret, "hex");
}

/**
 * Sends an alert in place of anything else, and destroys the connection; to be called while Node tells that the handshake is over.
 * @param below what TLS stands on
 * @param secret of this connection
 * @param description what the client is told, by its number [RFC 8446 §6]
 */
export function endWithAlert(socket: TLSSocket, below: Socket, secret: Buffer, description: number): void {
  const suite = SUITES[socket.getCipher().name];
  const writtenBytes = below.bytesWritten;
  // Nobody else listens to it any more, and what the client sends behind its certificate may be nonsense.
  socket.on("error", ignore);
  // The tickets leave when Node has told everybody.
  setImmediate(() => {
    const hasTickets = below.bytesWritten > writtenBytes;
    const sequence = hasTickets ? TICKETS[socket.isSessionReused() ? "resumed" : "whole"] : 0;
    if (suite !== undefined && !below.destroyed)
      below.on("error", ignore).write(alertRecord(suite, secret, sequence, description));
    socket.destroy();
  });
}

function alertRecord({ cipher, keyBytes, hash }: Suite, secret: Buffer, sequence: number, description: number): Buffer {
  const content = Buffer.of(FATAL, description, CONTENT_ALERT);
  const head = Buffer.of(CONTENT_APPLICATION_DATA, 3, 3, 0, content.length + TAG_BYTES);
  const key = expandLabel(hash, secret, "key", keyBytes);
  const nonce = expandLabel(hash, secret, "iv", NONCE_BYTES);
  nonce[NONCE_BYTES - 1]! ^= sequence;
  // The two kinds are typed apart, and used alike.
  const sealing = createCipheriv(cipher as CipherGCMTypes, key, nonce, { authTagLength: TAG_BYTES });
  sealing.setAAD(head);
  return Buffer.concat([head, sealing.update(content), sealing.final(), sealing.getAuthTag()]);
}

/** HKDF-Expand-Label without a context, for what fits into one block of the hash. */
function expandLabel(hash: Suite["hash"], secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(bytes >> 8, bytes & 0xff, name.length), name, Buffer.of(0, 1)]);
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}

function ignore(): void {}
