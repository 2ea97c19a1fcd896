import { auditEventIn } from '@residency/contracts';
import { decide } from '@residency/residency';
import type { Instant, PolicyVersion } from '@residency/residency';
import { isWithin } from '../audit-record.ts';
import type { AuditRecord, Period } from '../audit-record.ts';

/** Samples of one country that are in one region and would be placed in another. */
export interface Move {
  readonly country: string;
  readonly from: string;
  /** `null`: the policy does not place this country, and a sample of it would be quarantined. */
  readonly to: string | null;
  readonly samples: number;
  /** The bytes of the samples before sealing. */
  readonly bytes: number;
}

export interface WhatIf {
  /** The instant at which the policy was applied. */
  readonly at: Instant;
  /** Stored events in the period. */
  readonly stored: number;
  readonly moved: number;
  readonly movedBytes: number;
  /** Sorted by country, then by region. */
  readonly moves: readonly Move[];
}

/**
 * The stored samples that `policy` would place elsewhere at `at` if it were in force. Nothing is
 * moved. Each stored event is decided again by its country alone, without its consent.
 */
export async function whatIf(
  records: AsyncIterable<AuditRecord>,
  policy: PolicyVersion,
  at: Instant,
  options: Period & { readonly onProgress?: (records: number) => void } = {},
): Promise<WhatIf> {
  const moves = new Map<string, { -readonly [name in keyof Move]: Move[name] }>();
  let [stored, read] = [0, 0];
  for await (const record of records) {
    read += 1;
    if (read % 1_024 === 0) options.onProgress?.(read);
    const event = auditEventIn(record.value);
    if (event?.outcome !== 'stored' || !isWithin(event.at, options)) continue;
    stored += 1;
    const {
      country,
      decision: { region: from },
      sampleBytes,
    } = event.data;
    const decided = decide(policy, country, at);
    const to = decided.known ? decided.region : null;
    if (to === from) continue;
    const key = JSON.stringify([country, from, to]);
    const move = moves.get(key) ?? { country, from, to, samples: 0, bytes: 0 };
    move.samples += 1;
    move.bytes += sampleBytes;
    moves.set(key, move);
  }
  const sorted = [...moves].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, move]) => move);
  return {
    at,
    stored,
    moved: sum(sorted, 'samples'),
    movedBytes: sum(sorted, 'bytes'),
    moves: sorted,
  };
}

function sum(moves: readonly Move[], what: 'samples' | 'bytes'): number {
  return moves.reduce((total, move) => total + move[what], 0);
}
