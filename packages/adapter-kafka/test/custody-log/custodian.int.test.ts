import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@residency/coded-error';
import { eventually, someCustodyEvent } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CustodianWork } from '../../src/custody-log/custodian-terms.ts';
import { SHORT, someCustody } from './some-custody.ts';
import type { SomeCustody } from './some-custody.ts';

let some: SomeCustody;
let stop: AbortController;
const leading: Promise<void>[] = [];
beforeEach(async () => {
  some = await someCustody();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.allSettled(leading.splice(0));
  await some.close();
});

interface Led {
  readonly done: Promise<void>;
  readonly stop: () => void;
  /** The codes of the failures after which it joined again. */
  readonly waited: readonly string[];
}

async function lead(work: CustodianWork, region = 'zurich'): Promise<Led> {
  const own = new AbortController();
  const waited: string[] = [];
  const done = (await some.openLog()).custodian(region, SHORT).lead(work, {
    signal: AbortSignal.any([own.signal, stop.signal]),
    waits: ({ code }) => {
      waited.push(code);
    },
  });
  leading.push(done);
  done.catch(() => undefined);
  return {
    done,
    waited,
    stop: () => {
      own.abort();
    },
  };
}

const untilOver = async (signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) await sleep(10);
};

const seen = async (condition: () => boolean): Promise<void> => {
  await eventually(() => Promise.resolve(condition() || undefined));
};

it('of two custodians one is active, and the other takes over once it stops', async () => {
  const active = new Set<string>();
  const appended: string[] = [];
  const together: string[][] = [];
  const work =
    (name: string): CustodianWork =>
    async (log, signal) => {
      active.add(name);
      if (active.size > 1) together.push([...active]);
      try {
        const { length } = await Array.fromAsync(log.read());
        await log.append([someCustodyEvent(length)]);
        appended.push(name);
        await untilOver(signal);
      } finally {
        active.delete(name);
      }
    };
  const both = new Map([['a', await lead(work('a'))]]);
  await seen(() => appended.length === 1);
  both.set('b', await lead(work('b')));
  // The join of the second begins a new generation of the group.
  await seen(() => appended.length === 2);
  await sleep(1.5 * (SHORT.sessionTimeoutMs ?? 0));
  expect(appended).toHaveLength(2);
  const [first = ''] = active;
  both.get(first)?.stop();
  await both.get(first)?.done;
  await seen(() => appended.length === 3);
  expect(appended[2]).not.toBe(first);
  stop.abort();
  await Promise.all([...both.values()].map(({ done }) => done));
  expect(await some.visible()).toEqual([0, 1, 2].map((nth) => someCustodyEvent(nth)));
  expect(together).toEqual([]);
  expect([...both.values()].flatMap(({ waited }) => waited)).toEqual([]);
});

it('each region has a custodian of its own', async () => {
  const active = new Set<string>();
  const work: CustodianWork = async (log, signal) => {
    active.add(log.region);
    await untilOver(signal);
  };
  await lead(work, 'zurich');
  await lead(work, 'moscow');
  await seen(() => active.size === 2);
  expect([...active].toSorted()).toEqual(['moscow', 'zurich']);
});

it('ends once its work ended by itself', async () => {
  const { done } = await lead(async (log) => {
    await log.append([someCustodyEvent(0)]);
  });
  await done;
  expect(await some.visible()).toEqual([someCustodyEvent(0)]);
});

it('joins again after a failure that passes, and rejects with any other', async () => {
  const failures = (['retry', 'retry', 'stop'] as const).map(
    (remedy) => new CodedError({ code: `TO_${remedy}`, message: 'Expected a site.', remedy }),
  );
  let tries = 0;
  const { done, waited } = await lead(() => {
    const failure = failures[tries];
    tries += 1;
    return Promise.reject(failure ?? new Error('Expected no more tries.'));
  });
  await expect(done).rejects.toBe(failures[2]);
  expect(waited).toEqual(['TO_retry', 'TO_retry']);
});

it('a custodian whose log was opened by somebody else appends nothing more, and begins anew', async () => {
  let terms = 0;
  const { waited } = await lead(async (log, signal) => {
    terms += 1;
    if (terms > 1) {
      await untilOver(signal);
      return;
    }
    await log.append([someCustodyEvent(0)]);
    await some.open('zurich');
    await log.append([someCustodyEvent(7)]);
  });
  await seen(() => terms === 2);
  expect(waited).toEqual(['FENCED']);
  expect(await some.visible()).toEqual([someCustodyEvent(0)]);
});

it('appends nothing once its term is over', async () => {
  const outcome = Promise.withResolvers<unknown>();
  const { stop: stopIt, done } = await lead(async (log, signal) => {
    await log.append([someCustodyEvent(0)]);
    stopIt();
    await untilOver(signal);
    outcome.resolve(await log.append([someCustodyEvent(1)]).catch((error: unknown) => error));
  });
  await done;
  expect(await outcome.promise).toMatchObject({ code: 'OWNERSHIP_UNSURE', remedy: 'retry' });
  expect(await some.visible()).toEqual([someCustodyEvent(0)]);
});

it('rejects if the region has no custody topic', async () => {
  const { done } = await lead(() => Promise.resolve(), 'atlantis');
  await expect(done).rejects.toMatchObject({ code: 'TOPIC_MISSING', remedy: 'stop' });
  await expect(some.open('atlantis')).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
});

it('does nothing if it is stopped before', async () => {
  stop.abort();
  const { done } = await lead(() => Promise.reject(new Error('Expected not to lead.')));
  await done;
  expect(await some.visible()).toEqual([]);
});
