const ID_BYTES = 32;
const FIRST_CAPACITY = 1_024;
/** Beyond it probes get long; between growths a row costs 1/0.75 to 2/0.75 of its bytes. */
const LOAD = 0.75;

interface StoredAt {
  readonly partition: number;
  readonly offset: bigint;
}

/** An identity whose objects stand in sites that no stored event names. */
export interface Unclaimed {
  readonly submission: string;
  readonly sites: readonly number[];
  /** Whether some stored event names this identity, for other sites. */
  readonly stored: boolean;
}

/**
 * What was listed and what events claim, one row an identity: used (1 byte), id (32), sites listed and sites claimed
 * (a bit a site each), the stored event's partition and offset (4 + 8). An open-addressing table in one buffer, because
 * real sites hold millions of objects: 47 bytes a row with up to eight sites, 63 to 125 with the free rows, and no
 * limit of 2^24 entries as `Map` has one. The id is a SHA-256, so its first bytes are the hash.
 */
export class SubmissionIndex {
  readonly #maskBytes: number;
  readonly #rowBytes: number;
  #capacity = FIRST_CAPACITY;
  #size = 0;
  #rows: Buffer;
  /** Second and later stored events of one identity: lawful where it was sent for two regions, and rare. */
  readonly #more = new Map<string, StoredAt[]>();

  constructor(sites: number) {
    this.#maskBytes = Math.ceil(sites / 8);
    this.#rowBytes = 1 + ID_BYTES + 2 * this.#maskBytes + 4 + 8;
    this.#rows = Buffer.alloc(this.#capacity * this.#rowBytes);
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#rows.length;
  }

  /** An object of the identity stands in the site; `false` where that was known. */
  addListed(submission: string, site: number): boolean {
    const row = this.#row(submission);
    const known = this.#bit(row + this.#listed, site);
    this.#setBit(row + this.#listed, site);
    return !known;
  }

  /** A stored event claims the identity's objects in `sites`. `true` where another one claims it, for other sites only. */
  addStored(submission: string, at: StoredAt, sites: readonly number[]): boolean {
    const row = this.#row(submission);
    const claimed = sites.some((site) => this.#bit(row + this.#claimed, site));
    const before = this.#isStored(row);
    for (const site of sites) this.#setBit(row + this.#claimed, site);
    if (before) {
      this.#more.set(submission, [...(this.#more.get(submission) ?? []), at]);
    } else {
      // 0 stands for "no stored event".
      this.#rows.writeUInt32LE(at.partition + 1, row + this.#at);
      this.#rows.writeBigUInt64LE(at.offset, row + this.#at + 4);
    }
    return before && !claimed;
  }

  isStoredAt(submission: string, { partition, offset }: StoredAt): boolean {
    // A free row is all zeros, so it says "not stored".
    const row = this.#probe(Buffer.from(submission, 'hex'), 0);
    if (!this.#isStored(row)) return false;
    const first =
      this.#rows.readUInt32LE(row + this.#at) === partition + 1 &&
      this.#rows.readBigUInt64LE(row + this.#at + 4) === offset;
    return (
      first ||
      (this.#more
        .get(submission)
        ?.some((at) => at.partition === partition && at.offset === offset) ??
        false)
    );
  }

  /** Not to be interleaved with additions. */
  *unclaimed(): Generator<Unclaimed> {
    for (let row = 0; row < this.#rows.length; row += this.#rowBytes) {
      if (this.#rows[row] === 0) continue;
      const sites: number[] = [];
      for (let site = 0; site < this.#maskBytes * 8; site += 1) {
        if (this.#bit(row + this.#listed, site) && !this.#bit(row + this.#claimed, site))
          sites.push(site);
      }
      if (sites.length === 0) continue;
      yield {
        submission: this.#rows.toString('hex', row + 1, row + 1 + ID_BYTES),
        sites,
        stored: this.#isStored(row),
      };
    }
  }

  get #listed(): number {
    return 1 + ID_BYTES;
  }

  get #claimed(): number {
    return this.#listed + this.#maskBytes;
  }

  get #at(): number {
    return this.#claimed + this.#maskBytes;
  }

  #isStored(row: number): boolean {
    return this.#rows.readUInt32LE(row + this.#at) !== 0;
  }

  #bit(start: number, site: number): boolean {
    return (this.#rows.readUInt8(start + (site >> 3)) & (1 << (site & 7))) !== 0;
  }

  #setBit(start: number, site: number): void {
    const at = start + (site >> 3);
    this.#rows.writeUInt8(this.#rows.readUInt8(at) | (1 << (site & 7)), at);
  }

  /** Where the identity's row begins; made where there is none. */
  #row(submission: string): number {
    const id = Buffer.from(submission, 'hex');
    const row = this.#probe(id, 0);
    if (this.#rows[row] === 1) return row;
    if (this.#size + 1 > this.#capacity * LOAD) {
      this.#grow();
      return this.#row(submission);
    }
    this.#rows[row] = 1;
    id.copy(this.#rows, row + 1);
    this.#size += 1;
    return row;
  }

  /** The row of the id that stands at `start` of `source`, or the free row where it belongs. */
  #probe(source: Buffer, start: number): number {
    let slot = source.readUInt32LE(start) % this.#capacity;
    for (;;) {
      const row = slot * this.#rowBytes;
      if (
        this.#rows[row] === 0 ||
        this.#rows.compare(source, start, start + ID_BYTES, row + 1, row + 1 + ID_BYTES) === 0
      )
        return row;
      slot = (slot + 1) % this.#capacity;
    }
  }

  #grow(): void {
    const old = this.#rows;
    this.#capacity *= 2;
    this.#rows = Buffer.alloc(this.#capacity * this.#rowBytes);
    for (let row = 0; row < old.length; row += this.#rowBytes) {
      if (old[row] === 1)
        old.copy(this.#rows, this.#probe(old, row + 1), row, row + this.#rowBytes);
    }
  }
}
