/**
 * How much is done before the event loop gets its turn again, so that nothing that a client sends holds up the others for long. Counted
 * in units that take some 50 ns each, and not in time: what happens must follow from what came in.
 */

/** Work of one turn from which on connections take no more packets until the next, some 30 ms; one packet each they may always. */
export const MOST_TURN_WORK = 600_000;

/** Work of one piece of a packet that is done in pieces, some 8 ms. */
export const MOST_PIECE_WORK = 160_000;

/** What things cost; a Receiver of a message is the unit. */
export const WORK = {
  /** A node of the tree of filters that a search for a new topic comes to. */
  searchedNode: 3,
  /** A Topic Filter that is subscribed to or unsubscribed from, and each of its levels. */
  topicFilter: 64,
  topicLevel: 16,
} as const;
