import type { LogEntry } from '@residency/contracts';
import type { IntakeRow } from '../on-disk.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { REGION_BY_COUNTRY, placeable, plannedExpectation, plannedIndex } from '../traffic.ts';
import type { Expectation, Fields, Planned } from '../traffic.ts';

const COUNTRIES = Object.keys(REGION_BY_COUNTRY).filter(
  (country) => REGION_BY_COUNTRY[country] === 'zurich',
);
const LEAST_BYTES = 64;
const MOST_BYTES = 4_096;

/** What is sent again under an identity: the same sample, or another one. */
export type Again = 'same' | 'other';

/** Samples of one region, and their identities again. Grows as it is sent. */
export class DamageTraffic {
  readonly #random: SeededRandom;
  readonly #planned: Planned[] = [];
  /** The first record of each identity, by its index. */
  readonly #first = new Map<number, Fields>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get size(): number {
    return this.#planned.length;
  }

  /** So many samples that nobody sent before. */
  fresh(count: number): readonly LogEntry[] {
    return Array.from({ length: count }, () => {
      const index = this.#planned.length;
      const fields: Fields = {
        id: `s-${index}`,
        country: this.#random.pick(COUNTRIES),
        sample: this.#bytes(),
      };
      this.#first.set(index, fields);
      return this.#plan(fields);
    });
  }

  /**
   * The identity of the record with this index again. `unreadable`: meanwhile the arbiter's object may
   * have no readable metadata.
   */
  again(index: number, how: Again, unreadable: boolean): LogEntry {
    const fields = this.#first.get(index);
    if (fields === undefined) throw new RangeError('Expected the index of a first record.');
    return this.#plan(how === 'same' ? fields : { ...fields, sample: this.#bytes() }, unreadable);
  }

  indexOf(row: IntakeRow): number {
    return plannedIndex(this.#planned, row);
  }

  expectation(row: IntakeRow): Expectation {
    return plannedExpectation(this.#planned, row);
  }

  #bytes(): Buffer {
    return this.#random.bytes(LEAST_BYTES + this.#random.below(MOST_BYTES - LEAST_BYTES));
  }

  #plan(fields: Fields, unreadable = false): LogEntry {
    const { entry, expected } = placeable(this.#planned.length, fields);
    this.#planned.push({
      entry,
      expected: expected.kind === 'placeable' ? { ...expected, unreadable } : expected,
    });
    // Publishers keep an identity in one partition: there the log decides what comes first.
    return { ...entry, record: { ...entry.record, key: Buffer.from(fields.id) } };
  }
}
