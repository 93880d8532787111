/** Answers that wait for the store. */
import type { Acknowledgement } from "../protocol/index.ts";
import type { Obligation } from "./obligation.ts";

/** An answer that leaves when its obligation is met, in its turn: one of QoS 1 or 2, or another that `send` sends. */
export class HeldAnswer {
  readonly obligation: Obligation | null;
  readonly type: Acknowledgement["type"];
  readonly packetId: number;
  readonly reasonCode: number;
  readonly send: (() => void) | null;

  constructor(
    obligation: Obligation | null,
    type: Acknowledgement["type"],
    packetId: number,
    reasonCode: number,
    send: (() => void) | null,
  ) {
    this.obligation = obligation;
    this.type = type;
    this.packetId = packetId;
    this.reasonCode = reasonCode;
    this.send = send;
  }
}
