import { TOPICS, controlEntry, CLOCK_ACCEPTED } from '@residency/contracts';
import { SALT, settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteLog } from '../src/sqlite-log.ts';
import type { SqliteLog } from '../src/sqlite-log.ts';
import { appendOne, collect, consentRecord, publishSamples, someLog, text } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

const HOUR = 60 * 60 * 1_000;
const DAY = 24 * HOUR;
const YEARS = 10 * 365 * DAY;
const START = Date.UTC(2026, 10, 1);
const WITHDRAW = consentRecord({ kind: 'withdrawn', consentId: 'consent-0001' });
const ORDER = controlEntry(
  {
    type: CLOCK_ACCEPTED,
    data: { clock: '2026-11-01T00:00:00Z', lastAppend: '2026-11-01T00:00:00Z' },
  },
  'id-1',
  SALT,
);

describe('a clock that steps', () => {
  let now = START;
  let elapsed = 0;
  let some: SomeLog;
  const others: SqliteLog[] = [];
  /** Time goes by, for both clocks. */
  const pass = (ms: number): void => {
    now += ms;
    elapsed += ms;
  };
  const clocks = { now: () => now, elapsed: () => elapsed };
  const restarted = async (): Promise<SqliteLog> => {
    const log = await openSqliteLog({ file: some.file, ...clocks });
    others.push(log);
    return log;
  };
  const sample = async (log = some.log): Promise<number> =>
    await appendOne(log, TOPICS.samples, text('x'));

  beforeEach(async () => {
    now = START;
    elapsed = 0;
    some = await someLog(clocks);
    await sample();
  });
  afterEach(async () => {
    for (const log of others.splice(0)) await log.close();
    await some.close();
  });

  it('ten years ahead stamps nothing, and once it is right again all goes on as if nothing had been', async () => {
    pass(1_000);
    now += YEARS;
    for (const topic of [TOPICS.samples, TOPICS.consents, TOPICS.policy, TOPICS.subjects])
      await expect(some.log.append([{ topic, record: text('x') }])).rejects.toMatchObject({
        code: 'CLOCK_AHEAD',
        remedy: 'retry',
      });
    expect(await some.log.clock()).toMatchObject({
      state: 'ahead',
      lastAt: START,
      error: { code: 'CLOCK_AHEAD' },
    });
    now -= YEARS;
    expect(await sample()).toBe(START + 1_000);
    expect(await some.log.clock()).toMatchObject({ state: 'right' });
  });

  it('is seen by a process that starts then', async () => {
    now += YEARS;
    const log = await restarted();
    await expect(sample(log)).rejects.toMatchObject({ code: 'CLOCK_AHEAD' });
    now -= YEARS;
    expect(await sample(log)).toBe(START);
  });

  it('ahead settles nothing and drops nothing; both go on once it is right', async () => {
    const settle = async (until: 'end'): Promise<unknown> =>
      await some.log
        .submissionLog()
        .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
          until,
          signal: new AbortController().signal,
        });
    now += YEARS;
    await expect(settle('end')).rejects.toMatchObject({ code: 'CLOCK_AHEAD' });
    now -= YEARS;
    await settle('end');
    now += YEARS;
    await expect(some.log.dropExpired(now - 7 * DAY)).rejects.toMatchObject({
      code: 'CLOCK_AHEAD',
    });
    expect(await collect(some.log.read(TOPICS.samples))).toHaveLength(1);
    now -= YEARS;
    pass(8 * DAY);
    expect(await some.log.dropExpired(now - 7 * DAY)).toBe(1);
  });

  it("ahead takes orders all the same, at the log's own time: a pause must not wait for a clock", async () => {
    now += YEARS;
    await some.log.append([ORDER]);
    expect((await collect(some.log.read(TOPICS.control))).map(({ at }) => at)).toEqual([START]);
    now -= YEARS;
    expect(await sample()).toBe(START);
  });

  it.each([
    ['within the hour', 59 * 60 * 1_000],
    ['asleep or idle for a year, which the other clock saw too', 0, 365 * DAY],
  ])('is taken where it moved %s', async (_, step, rest = 0) => {
    pass(rest);
    now += step;
    expect(await sample()).toBe(START + step + rest);
  });

  it.each([
    [30 * DAY, 'taken'],
    [32 * DAY, 'refused'],
  ])('after %d ms in which nothing ran is %s at the next start', async (rest, outcome) => {
    pass(rest);
    const log = await restarted();
    expect(
      await sample(log).then(
        () => 'taken',
        () => 'refused',
      ),
    ).toBe(outcome);
  });

  it('that is right after a long rest is accepted once, by a record of its own, and by every process from then on', async () => {
    pass(400 * DAY);
    const log = await restarted();
    const running = await restarted();
    await expect(sample(log)).rejects.toMatchObject({ code: 'CLOCK_AHEAD' });
    await log.acceptClock(ORDER);
    expect([await sample(log), await sample(running)]).toEqual([now, now]);
    expect((await collect(log.read(TOPICS.control))).map(({ at }) => at)).toEqual([now]);
  });

  it('far behind the log gives no sample a time that is not, nor a policy; a withdrawal is taken, after all before it', async () => {
    now -= 2 * HOUR;
    for (const topic of [TOPICS.samples, TOPICS.policy])
      await expect(some.log.append([{ topic, record: text('x') }])).rejects.toMatchObject({
        code: 'CLOCK_BEHIND',
        remedy: 'retry',
      });
    expect(await appendOne(some.log, TOPICS.consents, WITHDRAW)).toBe(START + 1);
    expect(await some.log.clock()).toMatchObject({
      state: 'behind',
      error: { code: 'CLOCK_BEHIND' },
    });
    now += HOUR + 60_000;
    expect(await sample()).toBe(START + 1);
    now += HOUR;
    expect(await sample()).toBe(now);
  });

  it('that was wrong when records were settled delays their retention by no more than its length', async () => {
    const own = await someLog({ now: () => START + YEARS });
    await publishSamples(own.log, ['stamped ahead']);
    await own.log
      .submissionLog()
      .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
        until: 'end',
        signal: new AbortController().signal,
      });
    const log = await openSqliteLog({ file: own.file, ...clocks });
    others.push(log);
    expect(await log.dropExpired(now - 7 * DAY)).toBe(0);
    pass(8 * DAY);
    expect(await log.dropExpired(now - 7 * DAY)).toBe(1);
    await own.log.close();
  });
});
