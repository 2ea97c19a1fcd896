import { CodedError } from '@residency/coded-error';
import { TOPICS, custodyTopic, encodeAuditEvent } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { expect, it } from 'vitest';
import { KafkaAuditTrail } from '../src/kafka-audit-trail.ts';
import type { TrailLog } from '../src/kafka-audit-trail.ts';

const { signal } = new AbortController();

function auditRecord(partition: number, offset: bigint): LogRecord {
  const value = encodeAuditEvent({
    outcome: 'quarantined',
    at: 5,
    position: { log: 'log', topic: TOPICS.samples, partition, offset },
    data: { previous: offset === 0n ? null : String(offset - 1n), reason: 'UNDECODABLE' },
  });
  return { topic: TOPICS.audit, partition, offset, at: 5, key: null, headers: [], value };
}

interface World {
  /** What each look at the committed offsets finds; the last one from then on. */
  readonly committed: readonly ReadonlyMap<number, bigint>[];
  readonly events: readonly LogRecord[];
}

function trailOf({ committed, events }: World): {
  readonly trail: KafkaAuditTrail;
  readonly looks: () => number;
} {
  let looks = 0;
  const log: TrailLog = {
    name: 'log',
    ends: () =>
      Promise.resolve(
        new Map([
          [0, 9n],
          [1, 0n],
        ]),
      ),
    committed: () =>
      Promise.resolve(committed[Math.min(looks++, committed.length - 1)] ?? new Map()),
    lastAuditEvent: (partition) =>
      Promise.resolve(events.findLast((record) => record.partition === partition)),
    async *read() {
      yield* events;
    },
  };
  return { trail: trailOver(log), looks: () => looks };
}

function trailOver(log: TrailLog, until = signal): KafkaAuditTrail {
  return new KafkaAuditTrail({
    log: () => Promise.resolve(log),
    regions: () => ['moscow', 'zurich'],
    signal: until,
  });
}

it('names every partition of the intake log, one without progress by -1', async () => {
  const { trail } = trailOf({ committed: [new Map([[0, 4n]])], events: [] });
  expect([await trail.end(), await trail.committed()]).toEqual([
    new Map([
      ['log/threat.samples/0', 9n],
      ['log/threat.samples/1', 0n],
    ]),
    new Map([
      ['log/threat.samples/0', 3n],
      ['log/threat.samples/1', -1n],
    ]),
  ]);
});

it('takes the progress from the last event if the committed offset is missing, as a router does', async () => {
  const { trail } = trailOf({
    committed: [new Map()],
    events: [auditRecord(0, 0n), auditRecord(0, 1n)],
  });
  expect((await trail.committed()).get('log/threat.samples/0')).toBe(1n);
});

it('waits until the committed offsets include the events that were read', async () => {
  const { trail, looks } = trailOf({
    committed: [new Map([[0, 1n]]), new Map([[0, 1n]]), new Map([[0, 2n]])],
    events: [auditRecord(0, 0n), auditRecord(0, 1n)],
  });
  expect((await trail.committed()).get('log/threat.samples/0')).toBe(0n);
  expect(await Array.fromAsync(trail.events())).toHaveLength(2);
  expect([(await trail.committed()).get('log/threat.samples/0'), looks()]).toEqual([1n, 3]);
});

it("rejects with the signal's reason if its read is aborted, because half a log looks like a complete one", async () => {
  const reason = new Error('Told to stop.');
  const log: TrailLog = {
    name: 'log',
    ends: () => Promise.resolve(new Map()),
    committed: () => Promise.resolve(new Map()),
    lastAuditEvent: () => Promise.resolve(undefined),
    async *read() {
      yield auditRecord(0, 0n);
    },
  };
  const trail = trailOver(log, AbortSignal.abort(reason));
  for (const asked of [
    Array.fromAsync(trail.events()),
    Array.fromAsync(trail.pointers()),
    Array.fromAsync(trail.custody()),
    trail.committed(),
  ])
    await expect(asked).rejects.toBe(reason);
});

it('reads the custody log of each region, and passes over one that does not exist yet, but not over one that it may not read', async () => {
  const refused = (code: string) =>
    new CodedError({ code, message: 'A test refuses it.', remedy: 'stop' });
  const logOf = (moscow: Error): TrailLog => ({
    name: 'log',
    ends: (topic) =>
      topic === custodyTopic('moscow')
        ? Promise.reject(moscow)
        : Promise.resolve(new Map([[0, 1n]])),
    committed: () => Promise.resolve(new Map()),
    lastAuditEvent: () => Promise.resolve(undefined),
    async *read(topic) {
      yield { ...auditRecord(0, 0n), topic, value: Buffer.from(topic) };
      yield { ...auditRecord(0, 1n), topic, value: null };
    },
  });
  expect(await Array.fromAsync(trailOver(logOf(refused('TOPIC_MISSING'))).custody())).toEqual([
    Buffer.from('residency.custody.zurich'),
    Buffer.alloc(0),
  ]);
  const forbidden = refused('KAFKA_AUTHORIZATION');
  await expect(Array.fromAsync(trailOver(logOf(forbidden)).custody())).rejects.toBe(forbidden);
});
