import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { unlessAborted } from '../src/index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

it('gives what the promise gives, and nothing once the signal is aborted', async () => {
  const stop = new AbortController();
  await expect(unlessAborted(Promise.resolve(1), stop.signal)).resolves.toBe(1);
  await expect(unlessAborted(Promise.reject(new Error('lost')), stop.signal)).rejects.toThrow(
    'lost',
  );
  const waiting = unlessAborted(new Promise(() => undefined), stop.signal);
  stop.abort();
  await expect(waiting).resolves.toBeUndefined();
  await expect(unlessAborted(Promise.resolve(1), stop.signal)).resolves.toBeUndefined();
});

it('keeps nothing of what it gave, however long the signal lives', async () => {
  const { signal } = new AbortController();
  const given: WeakRef<object>[] = [];
  for (let round = 0; round < 100; round += 1)
    given.push(new WeakRef((await unlessAborted(Promise.resolve({ round }), signal)) ?? {}));
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  collect();
  expect(given.filter((one) => one.deref() !== undefined)).toEqual([]);
  expect(signal.aborted).toBe(false);
});

it('leaves no listener on the signal', async () => {
  const { signal } = new AbortController();
  await unlessAborted(Promise.resolve(1), signal);
  await unlessAborted(Promise.reject(new Error('lost')), signal).catch(() => undefined);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('ignores a rejection after the abort', async () => {
  const stop = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = unlessAborted(promise, stop.signal);
  stop.abort();
  reject(new Error('late'));
  await expect(waiting).resolves.toBeUndefined();
  await expect(
    unlessAborted(Promise.reject(new Error('after')), stop.signal),
  ).resolves.toBeUndefined();
});
