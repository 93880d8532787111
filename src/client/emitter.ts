/** Typed events: listeners by name, called in order, whose failures do not reach those who emit. */

/** How a listener is added. */
export interface ListenOptions {
  /** Removes the listener when it aborts. */
  readonly signal?: AbortSignal;
  /** Removes the listener before its first call. */
  readonly once?: boolean;
}

type Listener = (...args: never) => void;

/**
 * Calls listeners.
 * @typeParam Events the arguments of each event, by its name
 */
export class Emitter<Events extends { readonly [Name in keyof Events]: readonly unknown[] }> {
  #listeners: Map<keyof Events, readonly Listener[]> | null = null;

  /** Whether anybody listens. */
  has(name: keyof Events): boolean {
    return this.#listeners?.has(name) ?? false;
  }

  /** Adds a listener; the function that is returned removes it. */
  on<Name extends keyof Events>(
    name: Name,
    listener: (...args: Events[Name]) => void,
    options: ListenOptions = {},
  ): () => void {
    const { signal, once = false } = options;
    if (signal?.aborted) return () => {};
    const off = (): void => {
      signal?.removeEventListener("abort", off);
      this.#remove(name, added);
    };
    const added: Listener = once
      ? (...args: Events[Name]) => {
          off();
          listener(...args);
        }
      : listener;
    signal?.addEventListener("abort", off, { once: true });
    this.#listeners ??= new Map();
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), added]);
    return off;
  }

  #remove(name: keyof Events, listener: Listener): void {
    const left = this.#listeners?.get(name)?.filter((other) => other !== listener) ?? [];
    if (left.length > 0) this.#listeners?.set(name, left);
    else this.#listeners?.delete(name);
  }

  /** Calls the listeners of `name`. */
  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    const listeners = this.#listeners?.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) call(listener as (...args: readonly unknown[]) => void, ...args);
  }
}

/**
 * Calls a function of the application. What it throws is thrown again as soon as the program is at rest, as an uncaught exception:
 * in the middle of a packet it would break the connection instead.
 */
export function call<Args extends readonly unknown[]>(run: (...args: Args) => unknown, ...args: Args): unknown {
  try {
    return run(...args);
  } catch (error) {
    throwLater(error);
    return undefined;
  }
}

/** Throws `error` where nobody can catch it. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
