import { readFileSync } from 'node:fs';
import { readPolicy } from '@residency/contracts';
import type { LedgerFacts, PartitionFacts, Snapshot } from '@residency/observation';
import type { PolicyPublished } from '@residency/residency';

export const NOW = Date.parse('2026-11-25T12:00:00Z');

const FIRST = readPolicy(
  readFileSync(new URL('../../../policy/residency-1.json', import.meta.url)),
);

/** A valid version: the first policy, or one that comes into force later. */
export function published(version = 1, appendedAt = NOW - 10_000): PolicyPublished {
  const { document, digest } = FIRST;
  return version === 1
    ? { document, digest, appendedAt }
    : {
        document: { ...document, version, effectiveFrom: '2027-01-01T00:00:00Z' },
        digest: `digest-${version}`,
        appendedAt,
      };
}

export function partition(over: Partial<PartitionFacts> = {}): PartitionFacts {
  return { partition: 0, start: 0n, end: 9n, next: 9n, settledUpTo: 9n, ...over };
}

export function ledger(over: Partial<LedgerFacts> = {}): LedgerFacts {
  return { partition: 0, size: 5, verified: true, last: 8n, intakeEnd: 12n, ...over };
}

/** Everything is known, and right. */
export function fine(over: Partial<Snapshot> = {}): Snapshot {
  return {
    control: { known: { mode: 'running', logLevels: {} } },
    topics: { known: [{ topic: 'threat.samples', state: 'same' }] },
    intake: { known: { at: NOW, partitions: [partition()], transactions: [] } },
    appendTimes: { known: [{ topic: 'threat.samples', partition: 0, aheadMs: 0 }] },
    clock: { known: { state: 'right', lastAt: NOW } },
    consents: { known: { at: NOW, watermark: NOW - 300, halted: false } },
    policy: { known: { at: NOW, watermark: NOW - 300, versions: [published()] } },
    copies: [{ site: 'zrh-2', owed: 0, forMs: 0 }],
    erasures: [{ region: 'zurich', waiting: 0, forMs: 0 }],
    services: [{ host: 'router:8080', readiness: { known: { ready: true, failed: [] } } }],
    ...over,
  };
}
