import type { Undecided } from '@residency/observation';
import { expect, it } from 'vitest';
import type { WatchedWorker } from '../../src/submission-log/stall-watch.ts';
import { watchUndecided } from '../../src/submission-log/undecided-watch.ts';

const LOOK_MS = 10;

async function reportsOf(
  open: () => readonly Undecided[] | Error,
  workers: readonly WatchedWorker[],
  until: (said: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const said: string[] = [];
  const over = new AbortController();
  const say = (what: string): void => {
    said.push(what);
    if (until(said)) over.abort();
  };
  const undecided = (): Promise<readonly Undecided[]> => {
    const found = open();
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  await watchUndecided(
    {
      undecided,
      workers: () => workers,
      waits: ({ code }, partition) => {
        say(`${code} ${partition}`);
      },
      goesOn: (partition) => {
        say(`on ${partition}`);
      },
      lookEveryMs: LOOK_MS,
    },
    AbortSignal.any([over.signal, AbortSignal.timeout(40 * LOOK_MS)]),
  );
  return said;
}

const waiting = (partition: number, from: bigint): WatchedWorker => ({
  partition,
  waiting: { since: performance.now() - 10 * LOOK_MS, from },
});

it('a partition that has reached an open transaction waits for it, and goes on once it is decided', async () => {
  let looks = 0;
  const said = await reportsOf(
    () => {
      looks += 1;
      return looks < 3
        ? [{ partition: 1, offset: 7n, since: 5 }]
        : looks === 3
          ? new Error('no answer')
          : [];
    },
    [waiting(0, 3n), waiting(1, 7n)],
    (all) => all.includes('on 1'),
  );
  expect(said).toEqual(['INTAKE_UNDECIDED 1', 'INTAKE_UNDECIDED 1', 'on 1']);
});

it('one that has records before it, or has only just come there, does not', async () => {
  const fresh: WatchedWorker = {
    partition: 1,
    get waiting() {
      return { since: performance.now(), from: 9n };
    },
  };
  expect(
    await reportsOf(
      () => [
        { partition: 0, offset: 7n },
        { partition: 1, offset: 7n },
      ],
      [waiting(0, 6n), fresh],
      () => false,
    ),
  ).toEqual([]);
});
