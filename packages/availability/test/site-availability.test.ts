import { AvailableSites, reportLeftOut } from '@residency/availability';
import type { AvailabilityOptions } from '@residency/availability';
import { CodedError } from '@residency/coded-error';
import type { ObjectStore } from '@residency/routing';
import { MemoryObjectStore, exampleObject } from '@residency/testkit';
import { expect, test } from 'vitest';

type Answer = 'good' | 'fail' | 'hang' | 'stop' | 'wait';

/** A site that answers as the test says, its calls, and a clock that the test sets. */
function opened(options: Pick<AvailabilityOptions, 'patienceMs' | 'onChange'> = {}) {
  const memory = new MemoryObjectStore('zrh-2');
  const state = {
    answer: 'good' as Answer,
    until: Promise.resolve(),
    now: 0,
    calls: 0,
    changes: [] as boolean[],
  };
  const store: ObjectStore = {
    site: 'zrh-2',
    create: async (key, sealed, metadata) => {
      state.calls += 1;
      const { answer } = state;
      if (answer === 'hang') await new Promise(() => undefined);
      if (answer === 'wait') await state.until;
      else if (answer !== 'good')
        throw new CodedError({
          code: answer === 'stop' ? 'SITE_MARKER_MISMATCH' : 'SITE_UNREACHABLE',
          message: 'broken',
          remedy: answer === 'stop' ? 'stop' : 'retry',
        });
      return await memory.create(key, sealed, metadata);
    },
    head: async (key) => await memory.head(key),
    flush: async () => undefined,
  };
  const sites = new AvailableSites(
    { store: async () => store },
    {
      now: () => state.now,
      patienceMs: 20,
      onChange: (_, failure) => state.changes.push(failure !== undefined),
      ...options,
    },
  );
  let nth = 0;
  const put = async (owable = true): Promise<string> => {
    const { key, sealed, metadata } = exampleObject(`n-${(nth += 1)}`);
    try {
      const available = await sites.store('zrh-2', 'zurich', { owable });
      const { created } = await available.create(key, sealed, metadata, { owable });
      return created ? 'created' : 'found';
    } catch (error) {
      return error instanceof CodedError ? String(error.code) : 'another error';
    }
  };
  return { state, put, sites };
}

const failing = async (): Promise<ReturnType<typeof opened>> => {
  const site = opened();
  site.state.answer = 'fail';
  for (let failed = 0; failed < 3; failed += 1) expect(await site.put()).toBe('SITE_UNREACHABLE');
  return site;
};

test('a site that fails three times in a row is left out, and reported once', async () => {
  const { state, put } = await failing();
  const { calls } = state;
  expect([await put(), await put()]).toEqual(['SITE_LEFT_OUT', 'SITE_LEFT_OUT']);
  expect(state).toMatchObject({ calls, changes: [true] });
});

test('one call tries it again after ten seconds; the others are refused meanwhile', async () => {
  const { state, put } = await failing();
  state.now = 10_000;
  state.answer = 'hang';
  const { calls } = state;
  expect(await Promise.all([put(), put(), put()])).toEqual([
    'SITE_TOO_SLOW',
    'SITE_LEFT_OUT',
    'SITE_LEFT_OUT',
  ]);
  expect(state.calls).toBe(calls + 1);
  state.now = 19_999;
  expect(await put()).toBe('SITE_LEFT_OUT');
});

test('it is used again once a try succeeds', async () => {
  const { state, put } = await failing();
  state.answer = 'good';
  state.now = 10_000;
  expect([await put(), await put()]).toEqual(['created', 'created']);
  expect(state.changes).toEqual([true, false]);
  state.answer = 'fail';
  expect([await put(), await put(), await put(), await put()]).toEqual([
    'SITE_UNREACHABLE',
    'SITE_UNREACHABLE',
    'SITE_UNREACHABLE',
    'SITE_LEFT_OUT',
  ]);
});

test('calls that began before the site was left out do not bring it back', async () => {
  const { state, put } = opened({ patienceMs: 1_000 });
  const slow = Promise.withResolvers<void>();
  state.answer = 'wait';
  state.until = slow.promise;
  const begun = [put(), put()];
  while (state.calls < 2) await Promise.resolve();
  state.answer = 'fail';
  for (let failed = 0; failed < 3; failed += 1) await put();
  slow.resolve();
  expect(await Promise.all(begun)).toEqual(['created', 'created']);
  expect(await put()).toBe('SITE_LEFT_OUT');
  expect(state.changes).toEqual([true]);
});

test('a failure now and then leaves no site out', async () => {
  const { state, put } = opened();
  for (const answer of ['fail', 'fail', 'good', 'fail', 'fail', 'good'] as const) {
    state.answer = answer;
    await put();
  }
  expect(state.changes).toEqual([]);
});

test('a call that is too slow is given up and counts as a failure', async () => {
  const { state, put } = opened();
  state.answer = 'hang';
  expect(await put()).toBe('SITE_TOO_SLOW');
});

test('a call that cannot be owed waits for the site, also while it is left out', async () => {
  const { state, put } = await failing();
  state.answer = 'good';
  expect(await put(false)).toBe('created');
});

test('a site whose reads are answered and whose writes hang is left out for writes', async () => {
  const { state, put, sites } = opened();
  state.answer = 'hang';
  const store = await sites.store('zrh-2', 'zurich');
  for (let call = 0; call < 3; call += 1) {
    expect(await put()).toBe('SITE_TOO_SLOW');
    await store.head('any', { owable: true });
    await store.flush({ owable: true });
  }
  expect(await put()).toBe('SITE_LEFT_OUT');
  expect(await store.head('any', { owable: true })).toBeUndefined();
});

test('a call to a site that leaves ends, also one that hangs and cannot be owed', async () => {
  const { state, put, sites } = opened({ patienceMs: 60_000 });
  state.answer = 'hang';
  const hanging = [put(false), put(true)];
  while (state.calls < 2) await Promise.resolve();
  sites.leave(new Set(['zrh-2']));
  expect(await Promise.all(hanging)).toEqual(['SITE_LEAVES', 'SITE_LEAVES']);
  expect([await put(false), state.calls]).toEqual(['SITE_LEAVES', 2]);
  sites.leave(new Set());
  state.answer = 'good';
  expect(await put(false)).toBe('created');
});

test('calls that an order ends are no failures of the site', async () => {
  const { state, put, sites } = opened({ patienceMs: 60_000 });
  sites.leave(new Set(['zrh-2']));
  for (let nth = 0; nth < 5; nth += 1) expect(await put()).toBe('SITE_LEAVES');
  sites.leave(new Set());
  expect([await put(), state.changes]).toEqual(['created', []]);
});

test('a site leaves before its first call too, and the others stay', async () => {
  const { put, sites } = opened();
  sites.leave(new Set(['zrh-1']));
  expect(await put(false)).toBe('created');
  sites.leave(new Set(['zrh-2']));
  expect(await put(false)).toBe('SITE_LEAVES');
});

test('a wrong marker is an answer', async () => {
  const { state, put } = opened();
  state.answer = 'stop';
  for (let call = 0; call < 5; call += 1) expect(await put()).toBe('SITE_MARKER_MISMATCH');
  expect(state.changes).toEqual([]);
});

test('the report says why the site is left out', async () => {
  const said: unknown[] = [];
  const gauge: boolean[] = [];
  const report = reportLeftOut({
    logger: {
      warn: (_, fields) => said.push(fields),
      info: (_, fields) => said.push(fields),
    },
    leftOut: (_, isLeftOut) => gauge.push(isLeftOut),
  });
  const site = opened({ onChange: report });
  site.state.answer = 'hang';
  for (let failed = 0; failed < 3; failed += 1) await site.put();
  site.state.now = 10_000;
  site.state.answer = 'good';
  await site.put();
  expect(said).toEqual([
    { site: 'zrh-2', error: expect.objectContaining({ code: 'SITE_TOO_SLOW' }) as unknown },
    { site: 'zrh-2' },
  ]);
  expect(gauge).toEqual([true, false]);
});
