/** Several observers as one. */
import type { Observer } from "../core/index.ts";

type Event = Exclude<keyof Observer, "packets">;
// What each says differs; whoever joins them only passes it on.
type Listener = (a?: unknown, b?: unknown, c?: unknown) => void;

/** All that an Observer may be told: a name that is missing here does not compile. */
const EVENTS: Readonly<Record<Event, true>> = {
  opened: true,
  refused: true,
  connected: true,
  ended: true,
  subscribed: true,
  unsubscribed: true,
  publishDenied: true,
  notTaken: true,
  slowed: true,
  dropped: true,
  queueDamaged: true,
  storeState: true,
  storeReads: true,
  authenticatorFailed: true,
};

/**
 * Tells each of `observers` what happens, in their order. At most one of them may listen to packets. What nobody listens to is not told,
 * and what one does costs no more than if it were alone: messages may be dropped by the million.
 */
export function everyOf(...observers: readonly Observer[]): Observer {
  const joined: Partial<Record<Event, Listener>> = {};
  for (const event of Object.keys(EVENTS) as Event[]) {
    const listener = joinedOf(observers, event);
    if (listener !== undefined) joined[event] = listener;
  }
  return { ...(joined as Observer), packets: observers.find(({ packets }) => packets !== undefined)?.packets };
}

function joinedOf(observers: readonly Observer[], event: Event): Listener | undefined {
  const listeners: Listener[] = [];
  for (const observer of observers) {
    const listener = observer[event] as Listener | undefined;
    if (listener !== undefined) listeners.push(listener.bind(observer));
  }
  if (listeners.length <= 1) return listeners[0];
  return (a, b, c) => {
    for (const listener of listeners) listener(a, b, c);
  };
}
