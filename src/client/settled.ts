/** Promises that are only made when somebody asks for it: whoever does not ask gets no unhandled rejection, and costs nothing. */

/** The result of something that happens once. */
export class Settled<Value> {
  #value: Value | undefined;
  #error: Error | undefined;
  #isSettled = false;
  #promise: Promise<Value> | null = null;
  #resolve: ((value: Value) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Why it failed, if it has. */
  get error(): Error | null {
    return this.#error ?? null;
  }

  get promise(): Promise<Value> {
    this.#promise ??= this.#make();
    return this.#promise;
  }

  #make(): Promise<Value> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#isSettled) return Promise.resolve(this.#value as Value);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Sets the result; only the first one counts. Returns whether this was it. */
  resolve(value: Value): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#value = value;
    this.#resolve?.(value);
    return true;
  }

  reject(error: Error): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#error = error;
    this.#reject?.(error);
    return true;
  }
}

/** Something that can be awaited like the promise of its outcome. */
export abstract class Awaitable<Value> implements Promise<Value> {
  readonly [Symbol.toStringTag]: string = "Promise";

  /** What it comes to. */
  abstract readonly outcome: Promise<Value>;

  // biome-ignore lint/suspicious/noThenProperty: to be awaited is what it is for.
  then<Result1 = Value, Result2 = never>(
    onFulfilled?: ((value: Value) => Result1 | PromiseLike<Result1>) | null,
    onRejected?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): Promise<Result1 | Result2> {
    return this.outcome.then(onFulfilled, onRejected);
  }

  catch<Result = never>(
    onRejected?: ((reason: unknown) => Result | PromiseLike<Result>) | null,
  ): Promise<Value | Result> {
    return this.outcome.catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<Value> {
    return this.outcome.finally(onFinally);
  }
}
