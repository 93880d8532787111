/** Packets that are nearly right: what a fuzzer sends. */
import type { Random } from "./random.ts";

/** `packet` with some of its bytes changed, added or taken away. */
export function mutated(packet: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes = [...packet];
  for (let times = 1 + random.below(3); times > 0; times--) bytes = mutatedOnce(bytes, other, random);
  if (random.chance(0.6) && bytes.length > 1 && bytes.length < 129) bytes[1] = bytes.length - 2;
  return Uint8Array.from(bytes);
}

function mutatedOnce(bytes: number[], other: Uint8Array, random: Random): number[] {
  const at = random.below(bytes.length + 1);
  switch (random.below(6)) {
    case 0:
      return bytes.with(Math.min(at, bytes.length - 1), bytes[at % bytes.length]! ^ (1 << random.below(8)));
    case 1:
      return bytes.with(Math.min(at, bytes.length - 1), random.pick([0, 1, 2, 0x7f, 0x80, 0xff]));
    case 2:
      return bytes.slice(0, Math.max(1, at));
    case 3:
      return [
        ...bytes.slice(0, at),
        ...Array.from({ length: random.below(9) }, () => random.below(256)),
        ...bytes.slice(at),
      ];
    case 4:
      return [...bytes.slice(0, at), ...other.subarray(random.below(other.length))];
    default:
      return [...bytes, ...bytes.slice(at)];
  }
}
