/** Serves the files of a folder by HTTP, as `http_dir` of mosquitto: to read only, and nothing outside of the folder. */
import { type FileHandle, open, opendir, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { extname, join, posix, sep } from "node:path";

/** What a file is, by its name's end; others are bytes to be saved. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".ico": "image/x-icon",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};

/** Status by the error with which the system refuses a file; others are our own failure. */
const STATUS_OF_ERROR: Readonly<Record<string, number>> = {
  ENOENT: 404,
  ENOTDIR: 404,
  EACCES: 403,
  EPERM: 403,
  ENAMETOOLONG: 414,
};

/** What is wrong with a folder, by the system's code. */
const FOLDER_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder; make it, or remove the line",
  ENOTDIR: "that is no folder",
  EACCES: "its rights do not let the broker read it",
};

/** One folder. */
export class StaticFiles {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws an Error with the system's `code` when there is no such folder, or it cannot be read */
  static async open(folder: string): Promise<StaticFiles> {
    try {
      const real = await realpath(folder);
      await (await opendir(real)).close();
      return new StaticFiles(real);
    } catch (cause) {
      const { code = "UNKNOWN" } = cause as NodeJS.ErrnoException;
      const why = FOLDER_FAULTS[code] ?? (cause as Error).message;
      throw Object.assign(new Error(`http_dir ${folder}: ${why}`, { cause }), { code });
    }
  }

  /** Answers one request. Returns the status. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<number> {
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, { Allow: "GET, HEAD" });
    try {
      return await this.#send(request, response);
    } catch (error) {
      return refuse(response, STATUS_OF_ERROR[(error as NodeJS.ErrnoException).code ?? ""] ?? 500);
    }
  }

  async #send(request: IncomingMessage, response: ServerResponse): Promise<number> {
    const path = pathOf(request.url ?? "/");
    if (path === null) return refuse(response, 400);
    const file = await realpath(join(this.#folder, path.endsWith("/") ? `${path}index.html` : path));
    // Neither ".." nor a symbolic link leads out, nor does the answer tell what is there.
    if (file !== this.#folder && !file.startsWith(this.#folder + sep)) return refuse(response, 404);
    const found = await stat(file);
    if (found.isDirectory()) return refuse(response, 302, { Location: `${encodeURI(path)}/` });
    if (!found.isFile()) return refuse(response, 403);
    const modified = new Date(found.mtimeMs).toUTCString();
    if (request.headers["if-modified-since"] === modified) return refuse(response, 304);
    const hasBody = request.method !== "HEAD" && found.size > 0;
    const handle = hasBody ? await open(file) : null;
    if (request.socket.destroyed) {
      await handle?.close();
      return 200;
    }
    response.writeHead(200, {
      "Content-Type": MEDIA_TYPES[extname(file).toLowerCase()] ?? "application/octet-stream",
      "Content-Length": found.size,
      "Last-Modified": modified,
      "X-Content-Type-Options": "nosniff",
    });
    if (handle === null) response.end();
    else pour(handle, found.size, request.socket, response);
    return 200;
  }
}

/** Sends `size` bytes of a file: no more than was promised, should it grow meanwhile; should it shrink, the connection is cut. */
function pour(file: FileHandle, size: number, socket: Socket, response: ServerResponse): void {
  const stream = file.createReadStream({ end: size - 1 });
  stream.on("error", () => response.destroy());
  // Of the end of its connection a response hears nothing while others are before it.
  const stop = (): void => void stream.destroy();
  socket.setMaxListeners(0).once("close", stop);
  stream.once("close", () => socket.off("close", stop));
  stream.pipe(response);
}

/**
 * The path that is asked for, decoded, and with neither ".." nor "//" in it, so that it is one and the same for the rules and for the
 * folder, and no redirection to it leads to another host; null when it is none.
 */
export function pathOf(url: string): string | null {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ""));
    return path.startsWith("/") && !path.includes("\0") ? posix.normalize(path) : null;
  } catch {
    return null;
  }
}

function refuse(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): number {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, headers).end();
  return status;
}
