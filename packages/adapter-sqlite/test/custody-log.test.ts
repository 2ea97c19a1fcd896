import { DatabaseSync } from 'node:sqlite';
import { TOPICS, custodyTopic } from '@residency/contracts';
import { someCustodyEvent } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collect, someLog } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

let some: SomeLog;
const clock = { now: 1_000, elapsed: 0 };
beforeEach(async () => {
  Object.assign(clock, { now: 1_000, elapsed: 0 });
  some = await someLog({ now: () => clock.now, elapsed: () => clock.elapsed });
});
afterEach(async () => {
  await some.close();
});

function topics(): unknown[] {
  const db = new DatabaseSync(some.file, { readOnly: true });
  try {
    return db
      .prepare('SELECT name FROM topic ORDER BY id')
      .all()
      .map(({ name }) => name);
  } finally {
    db.close();
  }
}

it("a region's custody log has a row from its first opening on, and reads as empty before", async () => {
  const topic = custodyTopic('zurich');
  expect(await collect(some.log.read(topic))).toEqual([]);
  expect(await collect(some.log.read(topic, { until: 'end' }))).toEqual([]);
  expect(await some.log.end(topic)).toBe(0n);
  expect(topics()).toEqual(Object.values(TOPICS));
  await some.log.custodyLog('zurich');
  await some.log.custodyLog('zurich');
  expect(topics()).toEqual([...Object.values(TOPICS), topic]);
  expect(await collect(some.log.read(topic))).toEqual([]);
});

it('custody records carry their submission as key, and a new router finds the topics of before', async () => {
  await (await some.log.custodyLog('zurich')).append([someCustodyEvent(0)]);
  const [record] = await collect(some.log.read(custodyTopic('zurich')));
  expect(record).toMatchObject({
    key: expect.any(Buffer),
    headers: [['content-type', Buffer.from('application/cloudevents+json')]],
    value: someCustodyEvent(0),
    at: 1_000,
  });
  expect(record?.key?.toString()).toMatch(/^[0-9a-f]{64}$/);
});

it('an append that failed kept nothing, and the owner opens the log again', async () => {
  const small = await someLog({ maxPages: 40 });
  try {
    const custody = await small.log.custodyLog('zurich');
    const all = Array.from({ length: 400 }, (_, nth) => someCustodyEvent(nth));
    await custody.append(all.slice(0, 10));
    await expect(custody.append(all.slice(10))).rejects.toMatchObject({
      code: 'LOG_FULL',
      remedy: 'retry',
    });
    await custody.close();
    const again = await small.log.custodyLog('zurich');
    expect(await Array.fromAsync(again.read(), ({ value }) => value)).toEqual(all.slice(0, 10));
    await again.append(all.slice(10, 20));
    expect(await Array.fromAsync(again.read(), ({ value }) => value)).toEqual(all.slice(0, 20));
  } finally {
    await small.close();
  }
});

it('a clock that went ahead stamps no custody event', async () => {
  const custody = await some.log.custodyLog('zurich');
  await custody.append([someCustodyEvent(0)]);
  clock.now += 40 * 24 * 3_600_000;
  await expect(custody.append([someCustodyEvent(1)])).rejects.toMatchObject({
    code: 'CLOCK_AHEAD',
    remedy: 'retry',
  });
  clock.now = 2_000;
  await custody.append([someCustodyEvent(1)]);
  expect(await Array.fromAsync(custody.read(), ({ value }) => value)).toHaveLength(2);
});
