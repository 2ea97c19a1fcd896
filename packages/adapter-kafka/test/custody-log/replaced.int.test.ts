import { TOPIC_ACCEPTED, controlEntry } from '@residency/contracts';
import { SALT, settlementsOf, someCustodyEvent } from '@residency/testkit';
import { pause } from '@residency/waiting';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CustodianWork } from '../../src/custody-log/custodian-terms.ts';
import { topicName } from '../../src/topic-name.ts';
import { createTopics } from '../../src/topics/create-topics.ts';
import { topicPlan } from '../../src/topics/topic-plan.ts';
import { SILENT, asAdmin, text } from '../some-kafka.ts';
import { SHORT as ROUTER, someIntake } from '../submission-log/some-intake.ts';
import type { SomeIntake } from '../submission-log/some-intake.ts';
import { SHORT, ZURICH } from './some-custody.ts';

const REGIONS = ['zurich', 'moscow'];
let some: SomeIntake;
beforeEach(async () => {
  some = await someIntake({ partitions: 2, regions: REGIONS });
});
afterEach(async () => {
  await some.close();
});

/** Twenty records, in both partitions, settled by routers that know the regions. */
async function settled(): Promise<void> {
  await some.publish(Array.from({ length: 20 }, (_, index) => text('sample', `${index}`)));
  const log = await some.openLog();
  await log
    .submissionLog({ ...ROUTER, regions: REGIONS })
    .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
      until: 'end',
      signal: AbortSignal.timeout(300_000),
    });
}

/** Deleted, and made again with the same settings. */
async function replace(): Promise<void> {
  const name = topicName(some.settings.topicPrefix, ZURICH);
  await asAdmin(some.kafka, async (admin) => {
    await admin.deleteTopics({ topics: [name] });
    while ((await admin.listTopics()).includes(name)) await pause(100);
  });
  await createTopics(
    some.settings,
    SILENT,
    topicPlan({ partitions: 2, replicationFactor: 1, regions: REGIONS }),
  );
}

/** Resolves with what a new custodian's work did; rejects as its `lead`. */
async function lead(work: CustodianWork, region = 'zurich'): Promise<void> {
  const stop = new AbortController();
  await (await some.openLog()).custodian(region, SHORT).lead(
    async (log, signal) => {
      await work(log, signal);
      stop.abort();
    },
    { signal: stop.signal, waits: () => undefined },
  );
}

const append =
  (number: number): CustodianWork =>
  async (log) => {
    await log.append([someCustodyEvent(number)]);
  };

const identity = async (): Promise<unknown> =>
  (await (await some.openLog()).identity()).find(({ topic }) => topic === ZURICH);

it('a custody topic that was made again stops its custodian until a person accepts it, and routers go on', async () => {
  await settled();
  await lead(append(0));
  expect(await identity()).toMatchObject({ state: 'same' });

  await replace();
  await expect(lead(append(0))).rejects.toMatchObject({ code: 'LOG_REPLACED', remedy: 'stop' });
  // Routers settle on, and keep what was recorded.
  await settled();
  await settled();
  expect(await some.auditEvents()).toHaveLength(60);
  await expect(lead(append(0))).rejects.toMatchObject({ code: 'LOG_REPLACED' });
  await lead(() => Promise.resolve(), 'moscow');

  const found = (await (await some.openLog()).identity()).flatMap(({ topic, replaced = [] }) =>
    replaced.map(({ was, is }) => ({ topic, was, is })),
  );
  expect(found.map(({ topic }) => topic)).toEqual([ZURICH]);
  await some.log.append(
    found.map((one) =>
      controlEntry(
        { type: TOPIC_ACCEPTED, data: { ...one, reason: 'restored' } },
        'accepted',
        SALT,
      ),
    ),
  );
  await lead(append(0));
  await settled();
  expect(await identity()).toMatchObject({ state: 'same' });
  await lead(append(1));
});

it('a custodian appends nothing to a topic that was made again while it is active', async () => {
  await settled();
  const outcome = Promise.withResolvers<unknown>();
  await lead(async (log) => {
    await log.append([someCustodyEvent(0)]);
    await replace();
    outcome.resolve(await log.append([someCustodyEvent(1)]).catch((error: unknown) => error));
  }).catch(() => undefined);
  expect(await outcome.promise).toMatchObject({ code: 'LOG_REPLACED', remedy: 'stop' });
  expect(await some.log.ahead(ZURICH, 0, 0n)).toEqual({ upTo: expect.any(BigInt) });
});

it('a custody log without its beginning stops its custodian', async () => {
  await lead(append(0));
  await lead(append(1));
  await asAdmin(some.kafka, async (admin) => {
    const topic = topicName(some.settings.topicPrefix, ZURICH);
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: 0, offset: '1' }],
    });
  });
  await expect(lead(append(2))).rejects.toMatchObject({ code: 'CUSTODY_TRIMMED', remedy: 'stop' });
  expect((await some.log.starts(ZURICH)).get(0)).toBe(1n);
});
