/** How a client reaches a server; one kind for each transport. */
import type { Link } from "../core/index.ts";
import type { LinkOwner } from "./link-owner.ts";

/** Who waits for a Link. */
export interface LinkSeeker extends LinkOwner {
  /** The link is open. A failure to open comes as `closed`. */
  opened(link: Link): void;
}

/** The way to one server. */
export interface Connector {
  /** Where it leads, as messages show it. */
  readonly address: string;
  /**
   * Begins to connect. Later `seeker` is told either `opened` or `closed`, never before this has returned.
   * @returns what gives up; `seeker` need not be told then
   */
  connect(seeker: LinkSeeker): () => void;
}
