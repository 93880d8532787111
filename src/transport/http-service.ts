/** What a listener of HTTP gives out: asked by path, for each request that is well-formed and only wants to read. */
import type { LinkFacts } from "./tcp-link.ts";

/** A GET or HEAD. */
export interface HttpRequest {
  /** Decoded, without what follows `?`, as "/api/v1/version"; no U+0000 is in it. */
  readonly path: string;
  /** The Authorization header; null: none. */
  readonly authorization: string | null;
  /** Where it came from. */
  readonly facts: LinkFacts;
}

/** What becomes of it. */
export type HttpAnswer =
  | { readonly kind: "content"; readonly mediaType: string; readonly text: string }
  /** The file of that path, when there is one. */
  | { readonly kind: "file" }
  | {
      readonly kind: "refused";
      readonly status: number;
      /** For the client. */
      readonly text: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** For the log. */
      readonly why: string;
    };

/** Who answers. */
export interface HttpService {
  answer(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>;
  /** Something has been refused, as `what` says in a sentence without its end. */
  refused(remoteAddress: string, what: string): void;
}
