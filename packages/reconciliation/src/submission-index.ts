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

/** An identity with objects in places that no stored event names. */
export interface UnclaimedPlaces {
  readonly submission: string;
  readonly places: readonly number[];
  /** The places that stored events name. */
  readonly claimed: readonly number[];
  /** Whether there is a stored event of a sample that is not lost. */
  readonly stored: boolean;
  /** Places in which an object of the identity is one of a lost sample. */
  readonly lost: readonly number[];
}

/** The stored events of an identity whose samples are lost. */
interface Lost {
  readonly at: readonly StoredAt[];
  readonly claimed: readonly number[];
  readonly lost: readonly number[];
}

const NONE: Lost = { at: [], claimed: [], lost: [] };

/**
 * The listed objects and the claims of events, one row for each identity: used (1 byte), id (32),
 * places listed and places claimed (one bit for each), the stored event's partition and offset
 * (4 + 8). An open-addressing table in one buffer, because real sites hold millions of objects. A
 * row has 47 bytes with up to eight places, 63 to 125 with the free rows, and there is no limit of
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

  /** Rare too. */
  readonly #lost = new Map<string, Lost>();

  constructor(places: number) {
    this.#maskBytes = Math.ceil(places / 8);
    this.#rowBytes = 1 + ID_BYTES + 2 * this.#maskBytes + 4 + 8;
    this.#rows = Buffer.alloc(this.#capacity * this.#rowBytes);
  }

  /** The memory held, bytes. */
  get bytes(): number {
    return this.#rows.length;
  }

  /** Records an object of the identity in the place. Returns `false` if it was known. */
  addListed(submission: string, place: number): boolean {
    const row = this.#row(submission);
    const known = this.#bit(row + this.#listed, place);
    this.#setBit(row + this.#listed, place);
    return !known;
  }

  isListed(submission: string, place: number): boolean {
    return this.#bit(this.#probe(Buffer.from(submission, 'hex'), 0) + this.#listed, place);
  }

  /**
   * Records that a stored event claims the identity's objects in `places`. Returns `elsewhere` if
   * another event claims it for other places only, `again` if for some of the same.
   */
  addStored(
    submission: string,
    at: StoredAt,
    places: readonly number[],
  ): 'first' | 'elsewhere' | 'again' {
    const row = this.#row(submission);
    const claimed = places.some((place) => this.#bit(row + this.#claimed, place));
    const before = this.#isStored(row);
    for (const place of places) this.#setBit(row + this.#claimed, place);
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

  /**
   * Records a stored event whose sample is lost. It claims `claimed`, and keeps no other event from
   * claiming the same places. An object in one of `lost` that nobody claims is one of a lost sample.
   */
  addLost(
    submission: string,
    at: StoredAt,
    { claimed, lost }: { readonly claimed: readonly number[]; readonly lost: readonly number[] },
  ): void {
    const before = this.#lost.get(submission) ?? NONE;
    this.#lost.set(submission, {
      at: [...before.at, at],
      claimed: [...before.claimed, ...claimed],
      lost: [...before.lost, ...lost],
    });
  }

  isStoredAt(submission: string, { partition, offset }: StoredAt): boolean {
    const isAt = (at: StoredAt): boolean => at.partition === partition && at.offset === offset;
    if (this.#lost.get(submission)?.at.some(isAt) === true) return true;
    // A free row is all zeros, which means "not stored".
    const row = this.#probe(Buffer.from(submission, 'hex'), 0);
    if (!this.#isStored(row)) return false;
    const first =
      this.#rows.readUInt32LE(row + this.#at) === partition + 1 &&
      this.#rows.readBigUInt64LE(row + this.#at + 4) === offset;
    return first || (this.#more.get(submission)?.some(isAt) ?? false);
  }

  /** Do not add anything during the iteration. */
  *unclaimed(): Generator<UnclaimedPlaces> {
    for (let row = 0; row < this.#rows.length; row += this.#rowBytes) {
      if (this.#rows[row] === 0 || !this.#hasUnclaimed(row)) continue;
      const submission = this.#rows.toString('hex', row + 1, row + 1 + ID_BYTES);
      const { claimed: also, lost } = this.#lost.get(submission) ?? NONE;
      const claimed = [...new Set([...this.#bits(row + this.#claimed), ...also])];
      const places = this.#bits(row + this.#listed).filter((place) => !claimed.includes(place));
      if (places.length > 0)
        yield { submission, places, claimed, stored: this.#isStored(row), lost };
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

  #hasUnclaimed(row: number): boolean {
    for (let byte = 0; byte < this.#maskBytes; byte += 1) {
      const claimed = this.#rows.readUInt8(row + this.#claimed + byte);
      if ((this.#rows.readUInt8(row + this.#listed + byte) & ~claimed) !== 0) return true;
    }
    return false;
  }

  #bit(start: number, place: number): boolean {
    return (this.#rows.readUInt8(start + (place >> 3)) & (1 << (place & 7))) !== 0;
  }

  #bits(start: number): readonly number[] {
    const set: number[] = [];
    for (let place = 0; place < this.#maskBytes * 8; place += 1)
      if (this.#bit(start, place)) set.push(place);
    return set;
  }

  #setBit(start: number, place: number): void {
    const at = start + (place >> 3);
    this.#rows.writeUInt8(this.#rows.readUInt8(at) | (1 << (place & 7)), at);
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
