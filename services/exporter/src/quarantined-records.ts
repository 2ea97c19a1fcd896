/** In place of a reason: sent through again. */
const SENT = 0xff;
const FEWEST = 16;

/**
 * The quarantined records of one partition that the intake log holds: sorted columns, 17 bytes a
 * record and at most twice that while they grow, so that a million of them take 17 to 34 MB. A
 * redriven record keeps its row, so a repeated event does not add it again. Offsets are numbers:
 * below 2^53, as every number of Prometheus.
 */
export class QuarantinedRecords {
  #offsets = new Float64Array(FEWEST);
  #times = new Float64Array(FEWEST);
  #reasons = new Uint8Array(FEWEST);
  #size = 0;
  /**
   * Sent through again according to another partition, whose audit events were read before those of
   * this one.
   */
  readonly #named = new Set<number>();

  /**
   * Events come in the order of offsets, so this appends; any other order is right and slow.
   * `reason`: a number below 255.
   */
  add(offset: number, at: number, reason: number): void {
    const index = this.#indexOf(offset);
    if (index < this.#size && this.#offsets[index] === offset) return;
    if (this.#size === this.#offsets.length) this.#resize(this.#size * 2);
    for (const column of [this.#offsets, this.#times, this.#reasons])
      column.copyWithin(index + 1, index, this.#size);
    this.#offsets[index] = offset;
    this.#times[index] = at;
    this.#reasons[index] = this.#named.delete(offset) ? SENT : reason;
    this.#size += 1;
  }

  /**
   * The one at this offset was sent through again, whether its own event was read already or comes
   * later.
   */
  sent(offset: number): void {
    const index = this.#indexOf(offset);
    if (index < this.#size && this.#offsets[index] === offset) this.#reasons[index] = SENT;
    else this.#named.add(offset);
  }

  /**
   * Forgets what lies outside `start` to `end`, the end excluded. How many of those had not been
   * sent through again.
   */
  keepWithin(start: number, end: number): number {
    const [low, high] = [this.#indexOf(start), this.#indexOf(end)];
    const dropped = this.#waiting(0, low) + this.#waiting(high, this.#size);
    for (const column of [this.#offsets, this.#times, this.#reasons])
      column.copyWithin(0, low, high);
    this.#size = Math.max(0, high - low);
    if (this.#size * 4 < this.#offsets.length) this.#resize(Math.max(FEWEST, this.#size * 2));
    for (const offset of this.#named)
      if (offset < start || offset >= end) this.#named.delete(offset);
    return dropped;
  }

  /** Calls `each` for all that wait, in the order of their offsets. */
  forEach(each: (at: number, reason: number) => void): void {
    for (let index = 0; index < this.#size; index += 1) {
      const [at = 0, reason = SENT] = [this.#times[index], this.#reasons[index]];
      if (reason !== SENT) each(at, reason);
    }
  }

  #waiting(from: number, to: number): number {
    return this.#reasons
      .subarray(from, to)
      .reduce((count, reason) => count + (reason === SENT ? 0 : 1), 0);
  }

  /** Of the first that is not before `offset`. */
  #indexOf(offset: number): number {
    let [low, high] = [0, this.#size];
    if (low === high || offset > (this.#offsets[high - 1] ?? 0)) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #resize(capacity: number): void {
    const [offsets, times, reasons] = [
      new Float64Array(capacity),
      new Float64Array(capacity),
      new Uint8Array(capacity),
    ];
    offsets.set(this.#offsets.subarray(0, this.#size));
    times.set(this.#times.subarray(0, this.#size));
    reasons.set(this.#reasons.subarray(0, this.#size));
    [this.#offsets, this.#times, this.#reasons] = [offsets, times, reasons];
  }
}
