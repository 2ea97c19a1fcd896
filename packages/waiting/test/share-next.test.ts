import { expect, test } from 'vitest';
import { shareNext } from '../src/index.ts';

function runs(): {
  readonly work: () => Promise<number>;
  readonly end: (index: number, error?: Error) => void;
  readonly count: () => number;
} {
  const begun: PromiseWithResolvers<number>[] = [];
  return {
    work: async () => {
      const run = Promise.withResolvers<number>();
      begun.push(run);
      return await run.promise;
    },
    end: (index, error) => {
      if (error === undefined) begun[index]?.resolve(index);
      else begun[index]?.reject(error);
    },
    count: () => begun.length,
  };
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

test('calls during a run share the next one, which begins after it', async () => {
  const { work, end, count } = runs();
  const ask = shareNext(work);
  const first = ask();
  await turn();
  const later = [ask(), ask()];
  await turn();
  expect(count()).toBe(1);
  end(0);
  await turn();
  expect(count()).toBe(2);
  end(1);
  expect([await first, ...(await Promise.all(later))]).toEqual([0, 1, 1]);
});

test('a failed run rejects its own callers only', async () => {
  const { work, end } = runs();
  const ask = shareNext(work);
  const first = ask();
  await turn();
  const second = ask();
  end(0, new Error('lost'));
  await expect(first).rejects.toThrow('lost');
  await turn();
  end(1);
  await expect(second).resolves.toBe(1);
});
