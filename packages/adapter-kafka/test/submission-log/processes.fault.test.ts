import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewRecord } from '@residency/contracts';
import { settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { routerGroup } from '../../src/topic-name.ts';
import { asAdmin } from '../some-kafka.ts';
import { startConsumer } from './child.ts';
import type { Child, ChildPlan } from './child.ts';
import { NO_FAULTS, faultsOf } from './one-outcome-each.ts';
import { SHORT, someIntake } from './some-intake.ts';
import type { SomeIntake } from './some-intake.ts';

let some: SomeIntake;
const children: Child[] = [];
beforeEach(async () => {
  some = await someIntake({ partitions: 3 });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.signal('SIGKILL');
    await child.exit;
  }
  await some.close();
});

function start(plan: Partial<ChildPlan> = {}): Child {
  const child = startConsumer({
    settings: some.settings,
    options: {
      ...SHORT,
      sessionTimeoutMs: 1_500,
      transactionTimeoutMs: 1_000,
      maxBatchRecords: 20,
    },
    paceMs: 5,
    ...plan,
  });
  children.push(child);
  return child;
}

async function settleTheRest(): Promise<void> {
  const log = await some.openLog();
  await log
    .submissionLog(SHORT)
    .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
      until: 'end',
      signal: new AbortController().signal,
    });
}

function samples(count: number): NewRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`${index}`),
    headers: [],
    value: Buffer.from(`sample ${index}`),
  }));
}

/** Publishes while `work` goes on, and returns how many. */
async function publishDuring(work: () => Promise<void>): Promise<number> {
  let published = 0;
  const over = new AbortController();
  const publishing = (async () => {
    while (!over.signal.aborted) {
      await some.publish(samples(40));
      published += 40;
      await sleep(50);
    }
  })();
  try {
    await work();
  } finally {
    over.abort();
    await publishing;
  }
  return published;
}

it('consumers killed at random moments lose and repeat nothing, and leave a whole chain', async () => {
  const published = await publishDuring(async () => {
    const running = [start(), start()];
    for (let round = 0; round < 6; round += 1) {
      const victim = running.shift();
      await victim?.said('settled', 1);
      await sleep(randomInt(400));
      victim?.signal('SIGKILL');
      running.push(start());
    }
    for (const child of running) child.signal('SIGKILL');
  });
  await settleTheRest();
  expect(await faultsOf(some.log)).toEqual({ outcomes: published, faults: NO_FAULTS });
});

it('a consumer stopped beyond its session, with a batch in hand, settles nothing once it goes on', async () => {
  await some.publish(samples(300));
  const zombie = start({ holdFrom: 3 });
  await zombie.said('batch', 3);
  const before = zombie.count('settled');
  zombie.signal('SIGSTOP');
  const heir = start();
  // The next owner has to wait for the session timeout.
  await heir.said('settled', 15 - before);
  zombie.go();
  zombie.signal('SIGCONT');
  await zombie.said('assigned', 2);
  expect(
    zombie.lines
      .slice(
        0,
        zombie.lines.findLastIndex(([what]) => what === 'assigned'),
      )
      .filter(([what]) => what === 'settled'),
  ).toHaveLength(before);
  for (const child of [zombie, heir]) child.signal('SIGTERM');
  expect(await Promise.all([zombie.exit, heir.exit])).toEqual([0, 0]);
  await settleTheRest();
  expect(await faultsOf(some.log)).toEqual({ outcomes: 300, faults: NO_FAULTS });
});

it('a consumer told to stop finishes its batch, leaves the group and ends by itself', async () => {
  await some.publish(samples(2_000));
  const child = start({
    options: {
      ...SHORT,
      sessionTimeoutMs: 300_000,
      transactionTimeoutMs: 200_000,
      stallMs: 600_000,
      maxBatchRecords: 20,
    },
    paceMs: 300,
  });
  await child.said('settled', 1);
  child.signal('SIGTERM');
  expect(await child.exit).toBe(0);
  expect(child.lines.at(-1)).toEqual(['end']);
  expect(child.count('settled')).toBe(child.count('batch'));
  const settled = [...(await some.settled()).values()].reduce((sum, last) => sum + last + 1n, 0n);
  expect(settled).toBeLessThan(2_000n);
  // It left: the next one need not wait for its session, which is not over.
  await asAdmin(some.kafka, async (admin) => {
    const { groups } = await admin.describeGroups([routerGroup(some.settings.topicPrefix)]);
    expect(groups.map(({ members }) => members)).toEqual([[]]);
  });
  await start().said('settled', 1);
});

it('consumers that come and go share the partitions and settle each record once', async () => {
  const published = await publishDuring(async () => {
    const first = start();
    await first.said('settled', 3);
    const second = start();
    await second.said('settled', 3);
    first.signal('SIGTERM');
    await first.exit;
    const third = start();
    await third.said('settled', 3);
    for (const child of [second, third]) child.signal('SIGTERM');
    expect(await Promise.all([second.exit, third.exit])).toEqual([0, 0]);
  });
  await settleTheRest();
  expect(await faultsOf(some.log)).toEqual({ outcomes: published, faults: NO_FAULTS });
});
