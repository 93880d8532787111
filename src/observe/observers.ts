/** Several observers as one. */
import type { Observer } from "../core/index.ts";

/** Tells each of `observers` what happens, in their order. At most one of them may listen to packets. */
export function everyOf(...observers: readonly Observer[]): Observer {
  return {
    packets: observers.find(({ packets }) => packets !== undefined)?.packets,
    opened: (...what) => tell(observers, "opened", what),
    refused: (...what) => tell(observers, "refused", what),
    connected: (...what) => tell(observers, "connected", what),
    ended: (...what) => tell(observers, "ended", what),
    subscribed: (...what) => tell(observers, "subscribed", what),
    unsubscribed: (...what) => tell(observers, "unsubscribed", what),
    publishDenied: (...what) => tell(observers, "publishDenied", what),
    notTaken: (...what) => tell(observers, "notTaken", what),
    dropped: (...what) => tell(observers, "dropped", what),
    queueDamaged: (...what) => tell(observers, "queueDamaged", what),
    storeState: (...what) => tell(observers, "storeState", what),
    storeReads: (...what) => tell(observers, "storeReads", what),
    authenticatorFailed: (...what) => tell(observers, "authenticatorFailed", what),
  };
}

type Event = Exclude<keyof Observer, "packets">;

function tell<Name extends Event>(
  observers: readonly Observer[],
  name: Name,
  what: Parameters<NonNullable<Observer[Name]>>,
): void {
  for (const observer of observers)
    (observer[name] as ((...what: unknown[]) => void) | undefined)?.apply(observer, what);
}
