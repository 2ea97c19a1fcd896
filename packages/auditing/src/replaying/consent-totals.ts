import type { AuditEvent, Outcome } from '@residency/contracts';
import { OUTCOMES } from '@residency/contracts';
import { partOf } from '../part-of.ts';
import { SCRATCH_PARTS } from '../ports/scratch.ts';
import type { Scratch } from '../ports/scratch.ts';
import { EMPTY_TALLY, addTallies, storedBytesOf } from './tally.ts';
import type { Tally } from './tally.ts';

/** The outcomes of the submissions under one consent. */
export type ConsentRow = Tally & {
  readonly consentId: string;
  /** The first and the last T, milliseconds. */
  readonly first: number;
  readonly last: number;
};

/**
 * The totals by consent. There may be more consents than memory holds, so events are written to
 * scratch parts and added up one part at a time.
 */
export class ConsentTotals {
  readonly #scratch: Scratch;

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** Events that name no consent are in no row. */
  add(event: AuditEvent): Promise<void> | undefined {
    const { consentId } = event.data;
    if (consentId === undefined) return undefined;
    return this.#scratch.write(
      partOf(consentId),
      JSON.stringify([consentId, event.at, OUTCOMES.indexOf(event.outcome), storedBytesOf(event)]),
    );
  }

  /**
   * The rows, part after part, sorted within a part by consent id in UTF-16 code units. The same
   * events give the same rows in the same order.
   */
  async *rows(): AsyncGenerator<{ readonly part: number; readonly rows: readonly ConsentRow[] }> {
    for (let part = 0; part < SCRATCH_PARTS; part += 1) {
      const rows = new Map<string, ConsentRow>();
      for await (const line of this.#scratch.read(part)) add(rows, line);
      yield { part, rows: [...rows.values()].sort((a, b) => (a.consentId < b.consentId ? -1 : 1)) };
    }
  }
}

type Line = readonly [consentId: string, at: number, outcome: number, storedBytes: number];

function add(rows: Map<string, ConsentRow>, line: string): void {
  const [consentId, at, number, storedBytes]: Line = JSON.parse(line);
  const outcome: Outcome = OUTCOMES[number] ?? 'stored';
  const row = rows.get(consentId);
  const one: Tally = { ...EMPTY_TALLY, events: 1, [outcome]: 1, storedBytes };
  rows.set(consentId, {
    ...addTallies(row ?? EMPTY_TALLY, one),
    consentId,
    first: Math.min(row?.first ?? at, at),
    last: Math.max(row?.last ?? at, at),
  });
}
