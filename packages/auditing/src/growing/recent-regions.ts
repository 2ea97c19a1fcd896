import type { RegionIndex } from '../ports/region-index.ts';

/**
 * The stored part of an identity's 32 bytes. It is a SHA-256, so 16 bytes do not collide by chance.
 */
const ID_BYTES = 16;
/** The greatest share of used slots. Above it probes become long. */
const LOAD = 0.5;
const MOST_REGIONS = 255;

/**
 * The identities of one generation: open addressing in one buffer. A slot holds the number of a
 * region (0: free) and the first bytes of an id.
 */
class Generation {
  readonly #slots: number;
  readonly #regions: Uint8Array;
  readonly #ids: Buffer;
  size = 0;

  constructor(capacity: number) {
    this.#slots = Math.ceil(capacity / LOAD);
    this.#regions = new Uint8Array(this.#slots);
    this.#ids = Buffer.alloc(this.#slots * ID_BYTES);
  }

  get(id: Buffer): number {
    return this.#regions[this.#slot(id)] ?? 0;
  }

  set(id: Buffer, region: number): void {
    const slot = this.#slot(id);
    if (this.#regions[slot] === 0) this.size += 1;
    this.#regions[slot] = region;
    id.copy(this.#ids, slot * ID_BYTES, 0, ID_BYTES);
  }

  #slot(id: Buffer): number {
    for (let slot = id.readUInt32LE(0) % this.#slots; ; slot = (slot + 1) % this.#slots) {
      if (
        this.#regions[slot] === 0 ||
        this.#ids.compare(id, 0, ID_BYTES, slot * ID_BYTES, (slot + 1) * ID_BYTES) === 0
      )
        return slot;
    }
  }
}

/**
 * Remembers the regions of recent identities: at least the last half of `capacity`, at most
 * `capacity`. Each takes 34 bytes, all allocated at the start (34 MB for a million). Older ones are
 * forgotten, half of them at a time; `reconcile` compares everything.
 */
export class RecentRegions implements RegionIndex {
  readonly #half: number;
  readonly #names: string[] = [];
  #new: Generation;
  #old: Generation;

  constructor(capacity = 1_000_000) {
    this.#half = Math.max(1, Math.floor(capacity / 2));
    this.#new = new Generation(this.#half);
    this.#old = new Generation(this.#half);
  }

  regionOf(submission: string): string | undefined {
    const id = Buffer.from(submission, 'hex');
    return this.#names[(this.#new.get(id) || this.#old.get(id)) - 1];
  }

  /** Regions beyond the 255th are not remembered: no policy has so many. */
  note(submission: string, region: string): void {
    const at = this.#names.indexOf(region);
    const number = at === -1 ? this.#names.length + 1 : at + 1;
    if (number > MOST_REGIONS) return;
    if (at === -1) this.#names.push(region);
    if (this.#new.size >= this.#half)
      [this.#old, this.#new] = [this.#new, new Generation(this.#half)];
    this.#new.set(Buffer.from(submission, 'hex'), number);
  }
}
