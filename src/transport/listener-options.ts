/** What a way in for clients is set to: mosquitto's options of a listener, typed. Whoever reads them from a file is elsewhere. */
import type { HttpService } from "./http-service.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import type { ServerTlsOptions } from "./server-tls-options.ts";

/** Where to listen. */
export type ListenTarget =
  | {
      readonly kind: "network";
      /** A name or address of this machine; null: all of its addresses. */
      readonly host: string | null;
      /** 0: one that is free. */
      readonly port: number;
      /** Only this version of IP. */
      readonly family?: "ipv4" | "ipv6" | undefined;
      /** Only the addresses of this interface, as "eth0". */
      readonly interfaceName?: string | undefined;
    }
  | {
      readonly kind: "unix";
      readonly path: string;
      /** Permissions of the socket's file; 0o660, as mosquitto's. */
      readonly mode?: number | undefined;
    };

/** A header by which a proxy in front tells who the client is. Only who alone can reach the listener may be believed. */
export interface ProxyOptions {
  /** The version of the PROXY protocol; another one is refused. */
  readonly version: 1 | 2;
  /** Refuses clients that came to the proxy without TLS, of which only version 2 tells. */
  readonly requireTls?: boolean;
  /** Refuses clients whose certificate the proxy has not verified. */
  readonly requireCertificate?: boolean;
}

/** What MQTT over WebSocket is set to. */
export interface WebSocketOptions {
  /** Pages that may connect, by their Origin header, as "https://example.org"; empty: all. Clients that are no page send none. */
  readonly origins?: readonly string[] | undefined;
  /** Largest header of an HTTP request, in bytes; 8192. */
  readonly maximumHeaderBytes?: number | undefined;
  /** A folder whose files are served to browsers. */
  readonly httpFolder?: string | null | undefined;
}

/** What HTTP alone is set to, on a listener that only gives out what is there to be read. */
export interface HttpOptions {
  readonly service: HttpService;
  /** Pages that may read what is here, by their Origin header; empty: only those of this listener itself. */
  readonly origins?: readonly string[] | undefined;
  /** Largest header of a request, in bytes; 8192. */
  readonly maximumHeaderBytes?: number | undefined;
  /** A folder whose files are served. */
  readonly httpFolder?: string | null | undefined;
}

/** One way in for clients. */
export interface ListenerOptions {
  readonly target: ListenTarget;
  /** MQTT alone unless set. */
  readonly webSocket?: WebSocketOptions | null;
  /** HTTP, and no MQTT, when set. */
  readonly http?: HttpOptions | null;
  readonly tls?: ServerTlsOptions | null;
  readonly proxy?: ProxyOptions | null;
  /** Sockets that are open already: those at `target` are used in place of new ones. */
  readonly inherited?: InheritedSockets;
}
