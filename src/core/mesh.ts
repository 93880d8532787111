/** The Mesh seam: other brokers that work as one with this one. With one broker there is none. */
import type { PublishFields } from "../protocol/index.ts";

/** How this broker reaches the others. */
export interface Mesh {
  /** Asks for messages that match `topicFilter` and were published elsewhere; once for each distinct filter. */
  want(topicFilter: string): void;
  unwant(topicFilter: string): void;
  /** Offers a message that was published here to the brokers that want it. It does not come back. */
  publish(message: PublishFields): void;
  /** Names the one who takes messages from elsewhere; called once, before anything is wanted. */
  attach(receive: (message: PublishFields) => void): void;
}

/** The mesh of a broker that is alone. */
export const ALONE: Mesh = { want() {}, unwant() {}, publish() {}, attach() {} };
