/** The file of a unix socket: taken over from one who is gone, never from one who still listens. */
import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/** Longest path of a unix socket on Linux, in bytes: the system's structure has 108 with a zero at the end. */
const LONGEST_PATH_BYTES = 107;

/**
 * Makes `path` free to listen on.
 * @throws an error with the system's `code`: EADDRINUSE when somebody listens there, EEXIST when it is a file of another kind,
 *   ENAMETOOLONG
 */
export async function freeUnixPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES)
    throw coded("ENAMETOOLONG", `the path of a unix socket may have at most ${LONGEST_PATH_BYTES} bytes`);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found === null) return;
  if (!found.isSocket()) throw coded("EEXIST", "there is a file of that name that is no socket");
  if (await isListenedOn(path)) throw coded("EADDRINUSE", "another program listens on it");
  await unlink(path);
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answer = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => answer(true));
    // A full backlog is somebody's; nobody's socket refuses.
    socket.once("error", (error: NodeJS.ErrnoException) => answer(error.code === "EAGAIN"));
  });
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
