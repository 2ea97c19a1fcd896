import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import { settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqliteLog } from '../src/sqlite-log.ts';
import { startChild } from './child.ts';
import { collect, never, publishSamples, someLog } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

let some: SomeLog;
beforeEach(async () => {
  some = await someLog();
});
afterEach(async () => {
  await some.close();
});

/** `name/group/part` of every sample in the log. */
async function samples(log: SqliteLog): Promise<string[]> {
  return (await collect(log.read(TOPICS.samples))).map(({ value }) => value?.toString() ?? '');
}

function wholeGroups(found: readonly string[], name: string): number[] {
  const mine = found.filter((value) => value.startsWith(`${name}/`));
  const groups = mine.length / 5;
  expect(mine).toEqual(
    Array.from({ length: groups }, (_, group) =>
      [0, 1, 2, 3, 4].map((part) => `${name}/${group}/${part}`),
    ).flat(),
  );
  return Array.from({ length: groups }, (_, group) => group);
}

async function expectConsistent(log: SqliteLog): Promise<number> {
  const events = (await collect(log.auditRecords())).map((bytes) => decodeAuditEvent(bytes));
  const committed = await log.committed();
  expect(events.map(({ position }) => position.offset)).toEqual(
    events.map((_, index) => BigInt(index)),
  );
  expect(events.map(({ data }) => data.previous)).toEqual(
    events.map((_, index) => (index === 0 ? null : String(index - 1))),
  );
  expect(committed).toBe(events.length === 0 ? null : BigInt(events.length - 1));
  const pointers = await collect(log.quarantine());
  expect(pointers.length).toBe(Math.ceil(events.length / 10));
  return events.length;
}

describe('a process killed while it appends', () => {
  it('leaves complete appends only, and every acknowledged one', async () => {
    for (const [run, lines] of [1, 3, 17, 40].entries()) {
      const child = startChild('append', some.file, `run${run}`);
      await child.printed(lines);
      await child.kill();
      const groups = wholeGroups(await samples(some.log), `run${run}`);
      expect(groups).toEqual(expect.arrayContaining(child.lines.map(Number)));
    }
    const offsets = (await collect(some.log.read(TOPICS.samples))).map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.map((_, index) => BigInt(index)));
  });
});

describe('a process killed while it settles', () => {
  it('leaves events, pointers and progress of whole batches, and the next one completes them', async () => {
    await publishSamples(
      some.log,
      Array.from({ length: 900 }, (_, index) =>
        index % 10 === 0 ? 'quarantine me' : `sample ${index}`,
      ),
    );
    for (const lines of [1, 2, 9, 25]) {
      const child = startChild('settle', some.file);
      await child.printed(lines);
      await child.kill();
      await expectConsistent(some.log);
    }
    await some.log
      .submissionLog()
      .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
        until: 'end',
        signal: never(),
      });
    expect(await expectConsistent(some.log)).toBe(900);
  });
});

describe('several processes on one log', () => {
  it('append side by side: nothing lost, groups together, offsets without a hole, append times not going back', async () => {
    const children = ['a', 'b'].map((name) => startChild('append', some.file, name, '60'));
    for (let group = 0; group < 60; group += 1) {
      await some.log.append(
        [0, 1, 2, 3, 4].map((part) => ({
          topic: TOPICS.samples,
          record: { key: null, headers: [], value: Buffer.from(`own/${group}/${part}`) },
        })),
      );
    }
    expect(await Promise.all(children.map(async ({ exit }) => await exit))).toEqual([0, 0]);
    const found = await samples(some.log);
    for (const name of ['a', 'b', 'own']) expect(wholeGroups(found, name)).toHaveLength(60);
    const records = await collect(some.log.read(TOPICS.samples));
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => BigInt(index)));
    const times = records.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((x, y) => x - y));
  });

  it("see each other's appends while they wait", async () => {
    const stop = new AbortController();
    let handed = 0;
    const consuming = some.log.submissionLog().consume(
      (batch) => {
        handed += batch.records.length;
        if (handed === 25) stop.abort();
        return Promise.resolve({ settlements: settlementsOf(batch) });
      },
      { until: 'aborted', signal: stop.signal },
    );
    expect(await startChild('append', some.file, 'other', '5').exit).toBe(0);
    await consuming;
    expect(await some.log.committed()).toBe(24n);
  });
});
