import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { someCustodyEvent } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startChild } from '../submission-log/child.ts';
import type { Child } from '../submission-log/child.ts';
import { startCustodian } from './some-custodian.ts';
import { SHORT, someCustody } from './some-custody.ts';
import type { SomeCustody } from './some-custody.ts';

let some: SomeCustody;
const children: Child[] = [];
beforeEach(async () => {
  some = await someCustody();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.signal('SIGKILL');
    await child.exit;
  }
  await some.close();
});

function kept(child: Child): Child {
  children.push(child);
  return child;
}

function start(): Child {
  const options = { ...SHORT, sessionTimeoutMs: 1_500, transactionTimeoutMs: 1_000 };
  return kept(startCustodian({ settings: some.settings, options, paceMs: 20 }));
}

/** The events that a custodian was told that it appended. */
const told = (child: Child): number =>
  Math.max(
    0,
    ...child.lines.filter(([what]) => what === 'appended').map(([, next]) => Number(next)),
  );

const ONE_CHAIN = { misplaced: 0, lost: 0 };

/** The events that are not in their place, and those missing that a custodian was told of. */
async function chain(): Promise<typeof ONE_CHAIN> {
  const found = await some.visible();
  return {
    misplaced: found.filter((value, nth) => value?.equals(someCustodyEvent(nth)) !== true).length,
    lost: Math.max(0, Math.max(...children.map(told)) - found.length),
  };
}

it('custodians killed at random moments leave one chain', async () => {
  const running = [start(), start()];
  for (let round = 0; round < 4; round += 1) {
    await Promise.race(running.map(async (child) => await child.said('appended', 3)));
    await sleep(randomInt(300));
    const victim = running.find((child) => child.count('appended') > 0);
    victim?.signal('SIGKILL');
    await victim?.exit;
    running.splice(0, running.length, ...running.filter((child) => child !== victim), start());
  }
  await Promise.race(running.map(async (child) => await child.said('appended', 3)));
  for (const child of running) child.signal('SIGTERM');
  await Promise.all(running.map(async ({ exit }) => await exit));
  expect(await chain()).toEqual(ONE_CHAIN);
});

it('a custodian frozen beyond its session appends nothing once it goes on, and can lead again', async () => {
  const zombie = start();
  await zombie.said('appended', 3);
  zombie.signal('SIGSTOP');
  const heir = start();
  await heir.said('appended', 3);
  const before = zombie.count('appended');
  zombie.signal('SIGCONT');
  await zombie.said('waits');
  expect(zombie.lines.filter(([what]) => what === 'waits')).toContainEqual([
    'waits',
    expect.stringMatching(/^(?:FENCED|OWNERSHIP_UNSURE|KAFKA_\w+)$/),
  ]);
  // At most the append whose answer it had not read when it was stopped.
  expect(zombie.count('appended') - before).toBeLessThanOrEqual(1);
  heir.signal('SIGTERM');
  expect(await heir.exit).toBe(0);
  await zombie.said('leads', 2);
  await zombie.said('appended', before + 3);
  zombie.signal('SIGTERM');
  expect(await zombie.exit).toBe(0);
  expect(await chain()).toEqual(ONE_CHAIN);
});

it('a custodian told to stop leaves at once, and the next one need not wait for its session', async () => {
  // Longer than the test may take.
  const [sessionTimeoutMs, stallMs] = [600_000, 1_200_000];
  const options = { ...SHORT, sessionTimeoutMs, stallMs, transactionTimeoutMs: 20_000 };
  const plan = { settings: some.settings, options, paceMs: 5 };
  const first = kept(startCustodian(plan));
  await first.said('appended', 1);
  first.signal('SIGTERM');
  expect(await first.exit).toBe(0);
  // An append that was on its way is withheld.
  expect(first.lines.at(-1)).toEqual(['end']);
  const next = kept(startCustodian(plan));
  await next.said('appended', 1);
  next.signal('SIGTERM');
  expect(await next.exit).toBe(0);
  expect(await chain()).toEqual(ONE_CHAIN);
});

it('what a killed owner left open is never appended, and no reader waits for it', async () => {
  const owner = kept(
    startChild(new URL('./children/leave-open.ts', import.meta.url), { settings: some.settings }),
  );
  await owner.said('open');
  owner.signal('SIGKILL');
  await owner.exit;
  // Its time-out is a minute away.
  const heir = await some.open('zurich');
  expect(await Array.fromAsync(heir.read(), ({ value }) => value)).toEqual([someCustodyEvent(0)]);
  await heir.append([someCustodyEvent(1), someCustodyEvent(2)]);
  expect(await some.visible()).toEqual([0, 1, 2].map((nth) => someCustodyEvent(nth)));
});

it("a stranger's open transaction keeps the log from being opened, and nothing is appended behind it", async () => {
  const producer = some.kafka.producer({
    transactionalId: `${some.settings.topicPrefix}stranger`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  try {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: `${some.settings.topicPrefix}residency.custody.zurich`,
      messages: [{ partition: 0, value: 'stranger' }],
    });
    await expect(some.open('zurich')).rejects.toMatchObject({
      code: 'CUSTODY_UNDECIDED',
      remedy: 'retry',
    });
    await transaction.abort();
    const owner = await some.open('zurich');
    expect(await Array.fromAsync(owner.read(), ({ value }) => value)).toEqual([]);
  } finally {
    await producer.disconnect();
  }
});
