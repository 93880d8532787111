/** The HTTP server of both gates: it listens nowhere, and reads requests from sockets that are given to it, within bounds. */
import { createServer, type Server } from "node:http";

const DEFAULT_MAXIMUM_HEADER_BYTES = 8192;
/** Most header lines of a request. */
const MOST_HEADERS = 100;

/** One of them. How long a client may take is for `HttpPatience`. */
export function httpReader(maximumHeaderBytes: number = DEFAULT_MAXIMUM_HEADER_BYTES): Server {
  const server = createServer({
    maxHeaderSize: maximumHeaderBytes,
    ...{ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
  });
  server.maxHeadersCount = MOST_HEADERS;
  return server;
}
