/** What the store and its thread say to each other. Calls are answered in their order; buffers change hands. */
import type { StoreReport } from "./report.ts";

/** What the thread can be asked. */
export interface Calls {
  open(options: { readonly folder: string }): Opened;
  append(batch: { readonly buffer: ArrayBuffer; readonly length: number }): { readonly buffer: ArrayBuffer };
  startReading(what: "replay" | "everything" | "sessions"): number;
  readOn(reading: number): Uint8Array<ArrayBuffer> | null;
  endReading(reading: number): null;
  readQueue(place: {
    readonly session: number;
    readonly afterOrder: number;
    readonly limit: number;
  }): Uint8Array<ArrayBuffer>;
  close(nothing: null): null;
}

export interface Opened {
  /** Numbers of Sessions from here on are free. */
  readonly nextSession: number;
}

export type CallName = keyof Calls;

export interface Request<Name extends CallName = CallName> {
  readonly id: number;
  readonly name: Name;
  readonly argument: Parameters<Calls[Name]>[0];
}

export type Response =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: unknown }
  | { readonly report: StoreReport };
