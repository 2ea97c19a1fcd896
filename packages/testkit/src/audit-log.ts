import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditRecord, AuditSource, SourceStart } from '@residency/auditing';
import { encodeAuditEvent, objectKey, sha256, sha256OfParts } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';

const LOG = 'log-1';
const AT = Date.UTC(2026, 0, 1);
const DECISION = {
  rule: 'rule-1',
  policy: { id: 'residency', version: 1, digest: sha256(Buffer.from('policy')) },
};

/**
 * The nth event of a partition: stored, every third one refused. The options
 * replace members of the event.
 */
export function someAuditEvent(
  nth: number,
  {
    partition = 0,
    previous = nth === 0 ? null : String(nth - 1),
    region = 'zurich',
    name = `${partition}/${nth}`,
  }: {
    readonly partition?: number;
    readonly previous?: string | null;
    readonly region?: string;
    readonly name?: string;
  } = {},
): AuditEvent {
  const position = { log: LOG, topic: 'threat.samples', partition, offset: BigInt(nth) };
  const submission = sha256OfParts('urn:example', name);
  const common = {
    previous,
    submission,
    sampleBytes: 700,
    verdict: 'suspicious',
    consentId: `consent-${nth % 7}`,
  } as const;
  if (nth % 3 === 2)
    return {
      position,
      at: AT + nth,
      outcome: 'refused',
      data: { ...common, reason: 'CONSENT_UNKNOWN' },
    };
  const placements = [
    {
      site: 'zrh-1',
      key: objectKey(submission),
      sealedSha256: sha256(Buffer.from(`sealed ${name}`)),
      sealedBytes: 1_000,
      wrappingKey: 'key-1',
    },
  ];
  return {
    position,
    at: AT + nth,
    outcome: 'stored',
    data: {
      ...common,
      sampleSha256: sha256(Buffer.from(name)),
      country: 'CH',
      termsVersion: '1',
      decision: { region, ...DECISION },
      placements,
    },
  };
}

/** A partition of the audit log with `count` valid events. Its offsets have gaps, as on Kafka. */
export function someAuditRecords(count: number, partition = 0): AuditRecord[] {
  return Array.from({ length: count }, (_, nth) =>
    auditRecord(encodeAuditEvent(someAuditEvent(nth, { partition })), nth, partition),
  );
}

export function auditRecord(value: Buffer | null, nth: number, partition = 0): AuditRecord {
  return { partition, offset: BigInt(nth + Math.floor(nth / 10)), value };
}

/** A partition of the audit log in memory, which may grow. */
export class MemoryAuditSource implements AuditSource {
  readonly log = LOG;
  readonly partition: number;
  readonly records: AuditRecord[];
  /** The number of records in all batches so far. */
  given = 0;
  readonly #batch: () => number;
  readonly #idleMs: number;

  /** `batch`: returns the length of the next batch. */
  constructor(
    records: readonly AuditRecord[],
    {
      batch = () => 100,
      partition = 0,
      idleMs = 1,
    }: {
      readonly batch?: () => number;
      readonly partition?: number;
      readonly idleMs?: number;
    } = {},
  ) {
    this.records = [...records];
    this.partition = partition;
    this.#batch = batch;
    this.#idleMs = idleMs;
  }

  /** Starts well before the requested leaf, as a search by time on Kafka does. */
  async *follow(
    { since }: SourceStart,
    signal: AbortSignal,
  ): AsyncGenerator<readonly AuditRecord[]> {
    let next = Math.max(0, Math.min(this.records.length, since - AT));
    while (!signal.aborted) {
      const records = this.records.slice(next, next + Math.max(1, this.#batch()));
      next += records.length;
      this.given += records.length;
      yield records;
      if (records.length === 0) await sleep(this.#idleMs);
    }
  }
}
