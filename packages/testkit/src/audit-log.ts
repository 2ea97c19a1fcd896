import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditRecord, LedgerRecord, LedgerSource, SourceStart } from '@residency/auditing';
import { TOPICS, encodeAuditEvent, objectKey, sha256, sha256OfParts } from '@residency/contracts';
import type { AuditEvent, Topic, TopicPartition } from '@residency/contracts';

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

/** A partition of the audit log. */
export function auditPartition(partition = 0): TopicPartition {
  return { topic: TOPICS.audit, partition };
}

export function auditRecord(value: Buffer | null, nth: number, partition = 0): AuditRecord {
  return { partition, offset: BigInt(nth + Math.floor(nth / 10)), value };
}

/** A log with a ledger in memory, which may grow; default: partition 0 of the audit log. */
export class MemoryLedgerSource implements LedgerSource {
  readonly log = LOG;
  readonly of: TopicPartition;
  readonly records: (AuditRecord & Partial<LedgerRecord>)[];
  /** The number of records in all batches so far. */
  given = 0;
  readonly #batch: () => number;
  readonly #idleMs: number;

  /** `batch`: returns the length of the next batch. */
  constructor(
    records: readonly (AuditRecord & Partial<LedgerRecord>)[],
    {
      batch = () => 100,
      partition = 0,
      topic = TOPICS.audit,
      idleMs = 1,
    }: {
      readonly batch?: () => number;
      readonly partition?: number;
      readonly topic?: Topic;
      readonly idleMs?: number;
    } = {},
  ) {
    this.records = [...records];
    this.of = { topic, partition };
    this.#batch = batch;
    this.#idleMs = idleMs;
  }

  /** Starts well before the requested leaf, as a search by time on Kafka does. */
  async *follow(
    { since }: SourceStart,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LedgerRecord[]> {
    let next = Math.max(0, Math.min(this.records.length, since - AT));
    while (!signal.aborted) {
      const records = this.records.slice(next, next + Math.max(1, this.#batch()));
      next += records.length;
      this.given += records.length;
      yield records.map((record) => ({ at: 0, key: null, headers: [], ...record }));
      if (records.length === 0) await sleep(this.#idleMs);
    }
  }
}
