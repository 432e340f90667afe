/** Random numbers that a seed determines. */
export class Random {
  #state: number;

  /** @param seeds any numbers; each set of them gives other numbers */
  constructor(...seeds: number[]) {
    this.#state = 0x9e3779b9;
    for (const seed of seeds) this.#state = mix(this.#state ^ mix(seed | 0));
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    return Math.floor((mix(this.#state) >>> 0) / 0x1_0000_0000 * limit);
  }

  /** One of `choices`. */
  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}

function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ x >>> 16, 0x21f0aaad);
  x = Math.imul(x ^ x >>> 15, 0x735a2d97);
  return x ^ x >>> 15;
}

/** A part of an image that mutations aim at. */
export interface Target {
  readonly offset: number;
  readonly size: number;
}

/** Numbers at which lengths, offsets and counts go wrong. */
const EDGES = [
  0,
  1,
  2,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0x8000,
  0xffff,
  0x7fffffff,
  0x80000000,
  0xfffffff0,
  0xffffffff,
];

/**
 * Changes some bytes of `bytes` in place, within the targets.
 *
 * @param save called before each change with its range, so that the change can be undone
 */
export function mutate(
  bytes: Uint8Array,
  targets: readonly Target[],
  random: Random,
  save: (offset: number, size: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let left = 1 + random.below(6); left > 0; left--) {
    const target = random.of(targets);
    // Headers are at the start of nearly everything, so the start is aimed at more often.
    const reach = random.below(3) === 0 ? Math.min(target.size, 64) : target.size;
    const at = target.offset + random.below(reach);
    const room = Math.min(target.offset + target.size, bytes.length) - at;
    if (room < 1) continue;
    const size = Math.min(room, random.of([1, 2, 4, 8, 16, 64]));
    save(at, size);
    switch (random.below(7)) {
      case 0:
        bytes[at] ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2: {
        const value = random.of(EDGES);
        if (size >= 8) view.setBigUint64(at, BigInt(value) << BigInt(random.of([0, 0, 32])), true);
        else if (size >= 4) view.setUint32(at, value, true);
        else if (size >= 2) view.setUint16(at, value & 0xffff, true);
        else bytes[at] = value & 0xff;
        break;
      }
      case 3:
        bytes.fill(random.of([0, 0x80, 0xff]), at, at + size);
        break;
      case 4:
        for (let byte = at; byte < at + size; byte++) bytes[byte] = random.below(256);
        break;
      case 5: {
        // What stands elsewhere in the image: a valid thing in the wrong place.
        const other = random.of(targets);
        const from = Math.min(other.offset + random.below(other.size), bytes.length - size);
        bytes.copyWithin(at, from, from + size);
        break;
      }
      default:
        if (size >= 4) view.setUint32(at, view.getUint32(at, true) + random.below(33) - 16, true);
        else bytes[at] += random.below(33) - 16;
    }
  }
}
