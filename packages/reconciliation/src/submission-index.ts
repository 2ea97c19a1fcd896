const ID_BYTES = 32;
const FIRST_CAPACITY = 1_024;
/**
 * The greatest share of used rows. Above it probes become long. The memory for each identity is
 * 1/0.75 to 2/0.75 of a row.
 */
const LOAD = 0.75;

interface StoredAt {
  readonly partition: number;
  readonly offset: bigint;
}

/** An identity with objects in sites that no stored event names. */
export interface Unclaimed {
  readonly submission: string;
  readonly sites: readonly number[];
  /** Whether a stored event names this identity for other sites. */
  readonly stored: boolean;
}

/**
 * The listed objects and the claims of events, one row for each identity: used (1 byte), id (32),
 * sites listed and sites claimed (one bit for each site), the stored event's partition and offset
 * (4 + 8). An open-addressing table in one buffer, because real sites hold millions of objects. A
 * row has 47 bytes with up to eight sites, 63 to 125 with the free rows, and there is no limit of
 * 2^24 entries as for `Map`. The id is a SHA-256, so its first bytes are the hash.
 */
export class SubmissionIndex {
  readonly #maskBytes: number;
  readonly #rowBytes: number;
  #capacity = FIRST_CAPACITY;
  #size = 0;
  #rows: Buffer;
  /**
   * Second and later stored events of one identity. They are lawful if it was sent for two regions,
   * and rare.
   */
  readonly #more = new Map<string, StoredAt[]>();

  constructor(sites: number) {
    this.#maskBytes = Math.ceil(sites / 8);
    this.#rowBytes = 1 + ID_BYTES + 2 * this.#maskBytes + 4 + 8;
    this.#rows = Buffer.alloc(this.#capacity * this.#rowBytes);
  }

  /** The memory held, bytes. */
  get bytes(): number {
    return this.#rows.length;
  }

  /** Records an object of the identity in the site. Returns `false` if it was known. */
  addListed(submission: string, site: number): boolean {
    const row = this.#row(submission);
    const known = this.#bit(row + this.#listed, site);
    this.#setBit(row + this.#listed, site);
    return !known;
  }

  /**
   * Records that a stored event claims the identity's objects in `sites`. Returns `elsewhere` if
   * another event claims it for other sites only, `again` if for some of the same.
   */
  addStored(
    submission: string,
    at: StoredAt,
    sites: readonly number[],
  ): 'first' | 'elsewhere' | 'again' {
    const row = this.#row(submission);
    const claimed = sites.some((site) => this.#bit(row + this.#claimed, site));
    const before = this.#isStored(row);
    for (const site of sites) this.#setBit(row + this.#claimed, site);
    if (before) {
      this.#more.set(submission, [...(this.#more.get(submission) ?? []), at]);
    } else {
      // 0 means "no stored event".
      this.#rows.writeUInt32LE(at.partition + 1, row + this.#at);
      this.#rows.writeBigUInt64LE(at.offset, row + this.#at + 4);
    }
    if (!before) return 'first';
    return claimed ? 'again' : 'elsewhere';
  }

  isStoredAt(submission: string, { partition, offset }: StoredAt): boolean {
    // A free row is all zeros, which means "not stored".
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

  /** Do not add anything during the iteration. */
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

  /** The start of the identity's row. Creates the row if there is none. */
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

  /** The row of the id at `start` of `source`, or the free row for it. */
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
