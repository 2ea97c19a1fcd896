import type { RegionIndex } from '../ports/region-index.ts';

/** Of an identity's 32 bytes: it is a SHA-256, so 16 of them do not meet by chance. */
const ID_BYTES = 16;
/** Used slots of a table, beyond which probes get long. */
const LOAD = 0.5;
const MOST_REGIONS = 255;

/** Identities of one generation: open addressing in one buffer, a region's number (0: free) and the id's first bytes a slot. */
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
 * Remembers the last identities that were noted: at least half of `capacity` and at most all of it, 34 bytes each, all of them held from the
 * start (34 MB for a million). What is older is forgotten, half of it at a time; `reconcile` compares everything.
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

  /** A region beyond the 255th is not remembered: no policy has so many. */
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
