import { TOPICS, custodyTopic } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { IntakeObserver } from '@residency/observation';
import type { IntakeLog } from '@residency/observation';
import { createMetrics } from '@residency/telemetry';
import { expect, test } from 'vitest';
import { intakeSource } from '../src/intake-source.ts';
import type { ExportedLog } from '../src/intake-source.ts';

const SHOWN = /^(?:residency_(?:oldest|undecided|log|progress|append)|kafka_consumergroup_lag)/;

/** A partition of 12 offsets, settled up to 5; behind that stands what `over` says. */
async function shownBy(
  over: Partial<IntakeLog>,
  regions: readonly string[] = [],
  shown = SHOWN,
): Promise<readonly string[]> {
  const metrics = createMetrics({ service: 'exporter', version: '0', now: () => 100_000 });
  const offsets = (offset: bigint) => () => Promise.resolve(new Map([[0, offset]]));
  const log: ExportedLog & IntakeLog = {
    progress: () => Promise.resolve([{ partition: 0, start: 0n, end: 12n, next: 5n }]),
    ahead: () => Promise.resolve({ upTo: 5n }),
    starts: offsets(0n),
    ends: offsets(12n),
    since: offsets(12n),
    retention: () => Promise.resolve(1_000),
    undecided: () => Promise.resolve([]),
    identity: () => Promise.resolve([{ topic: TOPICS.samples, state: 'same' }]),
    ...over,
  };
  const source = intakeSource(
    log,
    new IntakeObserver(log, () => 100_000),
    metrics.exporting({ group: 'g', nameOf: (topic) => `p.${topic}` }),
    () => regions,
  );
  (await source.read(new AbortController().signal))();
  return (await metrics.render()).body
    .split('\n')
    .filter(
      (line) => shown.test(line) && !line.startsWith('#') && !/^residency_append.* 0$/.test(line),
    )
    .map((line) => line.replace(/^residency_/, ''));
}

const openIn = (topic: Topic) => (asked: Topic) =>
  Promise.resolve(asked === topic ? [{ partition: 0, offset: 5n, since: 40_000 }] : []);

test('what hides behind an open transaction has the age of that transaction', async () => {
  expect(await shownBy({ undecided: openIn(TOPICS.samples) })).toEqual([
    expect.stringMatching(/^kafka_consumergroup_lag\{.*\} 7$/),
    'oldest_unsettled_age_seconds{partition="0"} 60',
    'progress_lost{partition="0"} 0',
    'undecided_age_seconds{topic="p.threat.samples",partition="0"} 60',
    'log_replaced{topic="p.threat.samples"} 0',
  ]);
});

test('an age that is not known is absent, never 0', async () => {
  expect((await shownBy({})).filter((line) => line.startsWith('oldest'))).toEqual([]);
  expect(
    (
      await shownBy({
        progress: () => Promise.resolve([{ partition: 0, start: 0n, end: 5n, next: 5n }]),
      })
    ).filter((line) => line.startsWith('oldest')),
  ).toEqual(['oldest_unsettled_age_seconds{partition="0"} 0']);
});

test('an open transaction in any log that services read is shown', async () => {
  for (const topic of [
    TOPICS.consents,
    TOPICS.policy,
    TOPICS.control,
    TOPICS.audit,
    TOPICS.quarantine,
  ]) {
    expect(await shownBy({ undecided: openIn(topic) })).toContain(
      `undecided_age_seconds{topic="p.${topic}",partition="0"} 60`,
    );
  }
});

test('of an intake topic that was replaced no lag and no age is shown, but that it was replaced', async () => {
  expect(
    await shownBy({
      identity: () =>
        Promise.resolve([
          { topic: TOPICS.samples, state: 'replaced', found: 'x' },
          { topic: TOPICS.policy, state: 'unknown' },
        ]),
    }),
  ).toEqual(['log_replaced{topic="p.threat.samples"} 1']);
});

test("append times ahead of the exporter's clock are shown, of every log that services read", async () => {
  for (const topic of Object.values(TOPICS).filter((one) => one !== TOPICS.subjects)) {
    const since = (asked: Topic) => Promise.resolve(new Map([[0, asked === topic ? 11n : 12n]]));
    const ahead = () => Promise.resolve({ first: { offset: 11n, at: 3_700_000 }, upTo: 12n });
    expect(await shownBy({ since, ahead })).toContain(
      `append_time_ahead_seconds{topic="p.${topic}",partition="0"} 3600`,
    );
  }
});

test('the extents of each region’s custody log are shown, and one that is not there hides nothing', async () => {
  const ends = (topic: Topic) =>
    topic === custodyTopic('moscow')
      ? Promise.reject(new Error('no such topic'))
      : Promise.resolve(new Map([[0, topic === custodyTopic('zurich') ? 7n : 12n]]));
  const shown = await shownBy({ ends }, ['zurich', 'moscow'], /partition_current_offset/);
  expect(shown).toEqual([
    'kafka_topic_partition_current_offset{topic="p.threat.samples",partition="0"} 12',
    'kafka_topic_partition_current_offset{topic="p.residency.audit",partition="0"} 12',
    'kafka_topic_partition_current_offset{topic="p.threat.samples.quarantine",partition="0"} 12',
    'kafka_topic_partition_current_offset{topic="p.residency.custody.zurich",partition="0"} 7',
  ]);
});
