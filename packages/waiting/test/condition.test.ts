import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { Condition } from '../src/index.ts';

/** Whether a wait has ended by now. */
async function ended(wait: Promise<void>): Promise<boolean> {
  let is = false;
  void wait.then(() => {
    is = true;
  });
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return is;
}

test('a notification ends every wait, and only waits that began before it', async () => {
  const condition = new Condition();
  const waits = [condition.wait(), condition.wait()];
  expect(await ended(Promise.race(waits))).toBe(false);
  condition.notify();
  await Promise.all(waits);
  expect(await ended(condition.wait())).toBe(false);
});

test('a wait since a version ends at once if there was a notification in between', async () => {
  const condition = new Condition();
  const since = condition.version;
  expect(await ended(condition.wait({ since }))).toBe(false);
  condition.notify();
  expect(await ended(condition.wait({ since }))).toBe(true);
  expect(await ended(condition.wait({ since: condition.version }))).toBe(false);
});

test('a wait ends after its time, or as soon as its signal is aborted, and leaves no listener', async () => {
  const condition = new Condition();
  const stop = new AbortController();
  await condition.wait({ signal: stop.signal, ms: 1 });
  const wait = condition.wait({ signal: stop.signal });
  stop.abort();
  await wait;
  await condition.wait({ signal: stop.signal });
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});
