/** The Mesh seam: other brokers that work as one with this one. With one broker there is none. */
import type { PublishFields } from "../protocol/index.ts";

/** How this broker reaches the others. */
export interface Mesh {
  /**
   * Asks for messages that match `topicFilter` and were published elsewhere; once for each distinct filter. They come in the order of
   * their publisher's broker, each once however many filters match. One that nobody asked for may come too.
   */
  want(topicFilter: string): void;
  unwant(topicFilter: string): void;
  /** Offers a message that was published here to the brokers that want it. It does not come back. Its bytes do not change afterwards. */
  publish(message: PublishFields): void;
  /** Names the one who takes messages from elsewhere; called once, before anything is wanted. */
  attach(receive: (message: PublishFields) => void): void;
}

/** The mesh of a broker that is alone. */
export const ALONE: Mesh = { want() {}, unwant() {}, publish() {}, attach() {} };
