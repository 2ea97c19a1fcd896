import type { LogEntry } from '@residency/contracts';
import type { IntakeRow } from '../on-disk.ts';
import { Traffic } from '../traffic.ts';
import type { Expectation, Shares } from '../traffic.ts';
import { MOVED, inForce, regionOfMoved } from './policy-changes.ts';
import type { VersionOnLog } from './policy-changes.ts';

const LARGEST_BYTES = 4 * 1024;
/**
 * A repetition comes within this many records, so that two routers often work on one identity at
 * the same time.
 */
const RECENT = 200;

interface MixOptions {
  readonly recent?: number;
  readonly shares?: Shares;
}

/**
 * Seeded submissions for several partitions. Half of the identities stay in one partition, as the
 * documentation asks of publishers: there the log's order decides their owners. Records of the
 * others fall into any partition, and routers race for them.
 */
export class ClusterTraffic {
  readonly #traffic: Traffic;
  readonly #entries: readonly LogEntry[];

  constructor(seed: number, count: number, { recent = RECENT, shares }: MixOptions = {}) {
    this.#traffic = new Traffic(seed, count, LARGEST_BYTES, recent, shares);
    this.#entries = this.#traffic.planned.map(({ entry, expected }) =>
      expected.kind === 'placeable' && stays(expected.identity)
        ? { ...entry, record: { ...entry.record, key: Buffer.from(expected.identity) } }
        : entry,
    );
  }

  get size(): number {
    return this.#entries.length;
  }

  entries(from: number, to: number): readonly LogEntry[] {
    return this.#entries.slice(from, to);
  }

  indexOf(row: IntakeRow): number {
    return this.#traffic.indexOf(row);
  }

  /** The expected result of a record under the policy in force when it was appended. */
  expectation(row: IntakeRow, versions: readonly VersionOnLog[]): Expectation {
    const expected = this.#traffic.expectation(row);
    if (expected.kind !== 'placeable' || expected.country !== MOVED) return expected;
    const version = inForce(versions, row.at);
    return {
      ...expected,
      region: (version === undefined ? undefined : regionOfMoved(version)) ?? 'nowhere',
    };
  }
}

/** Identities are `s-<number>`. */
function stays(identity: string): boolean {
  return Number(identity.slice('s-'.length)) % 2 === 0;
}
