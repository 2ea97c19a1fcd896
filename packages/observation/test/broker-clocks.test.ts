import { TOPICS } from '@residency/contracts';
import { expect, test } from 'vitest';
import { BrokerClocks } from '../src/broker-clocks.ts';
import type { ClockedLog } from '../src/broker-clocks.ts';

/** One partition, stamped by whoever appends; every question takes a second of the local clock. */
class Log implements ClockedLog {
  readonly at: number[] = [];
  now = 1_000_000;

  readonly tick = (): number => (this.now += 1_000);

  ends(): Promise<ReadonlyMap<number, bigint>> {
    this.tick();
    return Promise.resolve(new Map([[0, BigInt(this.at.length)]]));
  }

  since(_: unknown, at: number): Promise<ReadonlyMap<number, bigint>> {
    this.tick();
    const first = this.at.findIndex((one) => one >= at);
    return Promise.resolve(new Map([[0, BigInt(first === -1 ? this.at.length : first)]]));
  }

  ahead(_: unknown, __: unknown, offset: bigint): ReturnType<ClockedLog['ahead']> {
    const at = this.at[Number(offset)];
    return Promise.resolve(
      at === undefined ? { upTo: offset } : { first: { offset, at }, upTo: offset + 1n },
    );
  }
}

async function leads(clock: number, looks: number): Promise<readonly number[]> {
  const log = new Log();
  const clocks = new BrokerClocks(log, [TOPICS.consents], () => log.now);
  const found: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    log.at.push(log.tick() + clock);
    found.push(...(await clocks.compare()).map(({ aheadMs }) => aheadMs));
  }
  return found;
}

test('a clock that is right is never told as another, however long answers take', async () => {
  expect(await leads(0, 4)).toEqual([0, 0, 0, 0]);
});

test('a clock ahead is seen at the first look, and at least as far as is certain', async () => {
  expect(await leads(3_600_000, 1)).toEqual([3_600_000 - 1_000]);
  expect(await leads(500, 2)).toEqual([0, 0]);
});

test('a clock behind is seen by what comes between two looks', async () => {
  const [first, second = 0] = await leads(-3_600_000, 2);
  expect(first).toBe(0);
  expect(second).toBeLessThan(-3_590_000);
  expect(second).toBeGreaterThanOrEqual(-3_600_000);
});

test('what was stamped in the future is told until that time has passed, also under a right clock', async () => {
  const log = new Log();
  const clocks = new BrokerClocks(log, [TOPICS.policy], () => log.now);
  log.at.push(log.now + 60_000);
  log.at.push(log.tick());
  expect((await clocks.compare())[0]?.aheadMs).toBeGreaterThan(50_000);
  log.now += 120_000;
  expect((await clocks.compare())[0]?.aheadMs).toBe(0);
});

test('nothing new says nothing of a clock that may be behind', async () => {
  const log = new Log();
  const clocks = new BrokerClocks(log, [TOPICS.samples], () => log.now);
  log.at.push(log.now - 3_600_000);
  expect(
    [await clocks.compare(), await clocks.compare()].flat().map(({ aheadMs }) => aheadMs),
  ).toEqual([0, 0]);
});
