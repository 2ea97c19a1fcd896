import { CodedError } from '@residency/coded-error';
import { formatPosition } from '@residency/contracts';
import type { NewRecord, Position } from '@residency/contracts';
import type { RouteBatch, SettledOutcomes } from '@residency/routing';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import type { SubmissionLogHarness, SubmissionLogSettings } from './submission-log-suite.ts';
import { settlementsOf } from './test-settlement.ts';

/** An empty log, its consumers, and the port over it. */
export interface SettledOutcomesHarness extends Pick<
  SubmissionLogHarness,
  'publish' | 'openLog' | 'auditEvents' | 'close'
> {
  /** The port as a new process opens it. */
  readonly outcomes: () => Promise<SettledOutcomes>;
}

const SETTINGS: SubmissionLogSettings = { maxBatchRecords: 5, maxBatchBytes: 4_096 };

function numbered(count: number): NewRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`key-${index}`),
    headers: [],
    value: Buffer.from(`record ${index}`),
  }));
}

async function consume(harness: SettledOutcomesHarness, route: RouteBatch): Promise<void> {
  await (
    await harness.openLog()
  ).consume(route, { until: 'end', signal: new AbortController().signal });
}

const settleAll: RouteBatch = (batch) => Promise.resolve({ settlements: settlementsOf(batch) });

/** Expects every answer to be the one that a reader of the whole audit log would give. */
async function expectAsRead(
  harness: SettledOutcomesHarness,
  outcomes: SettledOutcomes,
  positions: readonly Position[],
): Promise<number> {
  const events = new Map(
    (await harness.auditEvents()).map((event) => [formatPosition(event.position), event]),
  );
  const answers = await Promise.all(
    positions.map(async (position) => await outcomes.outcomeOf(position)),
  );
  expect(answers).toEqual(
    positions.map((position) => {
      const event = events.get(formatPosition(position));
      return event === undefined ? { state: 'unsettled' } : { state: 'settled', event };
    }),
  );
  return events.size;
}

const BEHAVIOURS: readonly Behaviour<SettledOutcomesHarness>[] = [
  {
    name: 'knows no position of another log, and none that its log has not reached',
    async check(harness) {
      const [first] = await harness.publish(numbered(1));
      if (first === undefined) throw new TypeError('Expected a position.');
      const outcomes = await harness.outcomes();
      expect(await outcomes.outcomeOf({ ...first, log: 'another' })).toEqual({ state: 'foreign' });
      expect(await outcomes.outcomeOf({ ...first, topic: 'threat.consents' })).toEqual({
        state: 'foreign',
      });
      expect(await outcomes.outcomeOf({ ...first, offset: first.offset + 1n })).toEqual({
        state: 'beyond',
      });
      expect(await outcomes.outcomeOf({ ...first, partition: 7 })).toEqual({ state: 'beyond' });
    },
  },
  {
    name: 'returns the event of each settled record, and reports the others as not settled',
    async check(harness) {
      const positions = [...(await harness.publish(numbered(40)))];
      const outcomes = await harness.outcomes();
      expect(await expectAsRead(harness, outcomes, positions)).toBe(0);
      await consume(harness, settleAll);
      expect(await expectAsRead(harness, outcomes, positions)).toBe(40);
      positions.push(...(await harness.publish(numbered(15))));
      expect(await expectAsRead(harness, outcomes, positions)).toBe(40);
      await consume(harness, settleAll);
      expect(await expectAsRead(harness, outcomes, positions.toReversed())).toBe(55);
      expect(await expectAsRead(harness, await harness.outcomes(), positions)).toBe(55);
    },
  },
  {
    name: 'reports the records behind a block as not settled',
    async check(harness) {
      const positions = await harness.publish(numbered(20));
      await consume(harness, (batch) =>
        Promise.resolve({
          settlements: settlementsOf(batch, 2),
          blocked: {
            offset: batch.records[2]?.offset ?? -1n,
            error: new CodedError({
              code: 'SITE_DOWN',
              message: 'Expected a site that answers.',
              remedy: 'retry',
            }),
          },
        }),
      );
      const settled = await expectAsRead(harness, await harness.outcomes(), positions);
      expect(settled).toBeGreaterThan(0);
      expect(settled).toBeLessThan(20);
    },
  },
];

/**
 * The contract of the `SettledOutcomes` port. `open` returns a harness over a log that nobody else
 * uses, whose consumers have the given `settings`.
 */
export function describeSettledOutcomes(
  adapter: string,
  open: (settings: SubmissionLogSettings) => Promise<SettledOutcomesHarness>,
): void {
  describeBehaviours(adapter, 'SettledOutcomes', BEHAVIOURS, () => open(SETTINGS));
}
