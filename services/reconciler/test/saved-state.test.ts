import { CodedError } from '@residency/coded-error';
import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReconcilerState } from '../src/reconciler-state.ts';
import { decodeState, encodeState } from '../src/saved-state.ts';
import type { SavedState } from '../src/saved-state.ts';
import { StateKeeper, readState } from '../src/state-keeper.ts';
import type { StateStore } from '../src/state-keeper.ts';

const SAVED: SavedState = {
  log: 'log-1',
  cluster: 'cluster-1',
  runs: 7,
  byCode: { OBJECT_MISSING: 2 },
  sites: {
    'zrh-1': {
      place: 'p1',
      checkedSince: 5,
      pass: { began: 9, run: 6, checked: 3, upTo: { 'log-1/threat.samples/0': '12' }, byCode: {} },
    },
    'mow-1': { place: 'p2' },
  },
  findings: {
    named: [['id-1', { code: 'WRONG_REGION', site: 'mow-1', listed: true, run: 7 }]],
    beyond: [{ code: 'FOREIGN_OBJECT', site: 'mow-1', listed: true, known: 4, seen: 0 }],
  },
};
const PLACES = new Map([
  ['zrh-1', 'p1'],
  ['mow-1', 'p2'],
]);

class MemoryStore implements StateStore {
  bytes: Buffer | undefined;
  writes = 0;
  aside = 0;
  failure: Error | undefined;
  async read(): Promise<Buffer | undefined> {
    return this.bytes;
  }
  async replace(bytes: Uint8Array): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (this.failure !== undefined) throw this.failure;
    this.writes += 1;
    this.bytes = Buffer.from(bytes);
  }
  async setAside(): Promise<string> {
    this.aside += 1;
    this.bytes = undefined;
    return 'aside';
  }
}

describe('the bytes of a state', () => {
  it('are read back, and any other bytes are refused', () => {
    const bytes = encodeState(SAVED);
    expect(decodeState(bytes)).toEqual(SAVED);
    assert(
      property(
        integer({ min: 0, max: bytes.length - 2 }),
        integer({ min: 1, max: 255 }),
        (at, flip) => {
          const other = Buffer.from(bytes);
          other.writeUInt8(other.readUInt8(at) ^ flip, at);
          expect(() => decodeState(other)).toThrow(
            expect.objectContaining({ code: 'STATE_DAMAGED' }),
          );
          expect(() => decodeState(bytes.subarray(0, at))).toThrow(
            expect.objectContaining({ code: 'STATE_DAMAGED' }),
          );
        },
      ),
    );
  });

  it('of another version are refused', () => {
    expect(() => decodeState(encodeState({ ...SAVED, more: 1 } as SavedState))).toThrow(
      expect.objectContaining({ code: 'STATE_DAMAGED' }),
    );
  });
});

describe('a state that is read', () => {
  const errors: unknown[] = [];
  const logger = {
    error: (_: string, fields?: object) => {
      errors.push(fields);
    },
  };
  const stored = (saved: SavedState): MemoryStore =>
    Object.assign(new MemoryStore(), { bytes: encodeState(saved) });

  it('resumes where it was saved', async () => {
    const saved = await readState(stored(SAVED), SAVED, logger);
    expect(saved).toEqual(SAVED);
    const state = new ReconcilerState(
      { log: 'log-1', cluster: 'cluster-1', places: PLACES },
      saved,
    );
    expect([state.forgetOthers(), state.save(), state.last, state.checked]).toEqual([
      [],
      SAVED,
      { sites: [{ site: 'zrh-1', began: 5 }], byCode: { OBJECT_MISSING: 2 } },
      3,
    ]);
    expect(state.open).toEqual([
      { site: 'mow-1', code: 'WRONG_REGION', count: 1 },
      { site: 'mow-1', code: 'FOREIGN_OBJECT', count: 4 },
    ]);
  });

  it('counts nothing as checked in a site with a new address, and keeps its differences until the next survey', () => {
    const state = new ReconcilerState(
      {
        log: 'log-1',
        cluster: 'cluster-1',
        places: new Map([
          ['zrh-1', 'p9'],
          ['mow-1', 'p9'],
        ]),
      },
      SAVED,
    );
    expect([state.forgetOthers(), state.open.length, state.last.sites, state.save().sites]).toEqual(
      [[], 2, [], { 'zrh-1': { place: 'p9' }, 'mow-1': { place: 'p9' } }],
    );
    state.surveyed(new Set(['mow-1']), state.begins(['mow-1'], 0));
    expect(state.open).toEqual([]);
  });

  it('forgets the differences of a site that no longer exists', () => {
    const state = new ReconcilerState(
      { log: 'log-1', cluster: 'cluster-1', places: new Map([['zrh-1', 'p1']]) },
      SAVED,
    );
    expect([state.forgetOthers().map(({ site }) => site), state.open]).toEqual([['mow-1'], []]);
  });

  it.each([{ log: 'log-2' }, { cluster: 'cluster-2' }])(
    'of another log prevents the start, and is kept: %j',
    async (over) => {
      const store = stored({ ...SAVED, ...over });
      await expect(readState(store, SAVED, logger)).rejects.toMatchObject({
        code: 'STATE_OF_ANOTHER_LOG',
        remedy: 'stop',
      });
      expect(store.aside).toBe(0);
    },
  );

  it('that is damaged is set aside and reported', async () => {
    const store = Object.assign(new MemoryStore(), { bytes: Buffer.from('x') });
    expect(await readState(store, SAVED, logger)).toBeUndefined();
    expect([store.aside, errors]).toEqual([
      1,
      [{ error: expect.objectContaining({ code: 'STATE_DAMAGED' }) }],
    ]);
    expect(await readState(store, SAVED, logger)).toBeUndefined();
  });
});

describe('which passes are due', () => {
  const places = new Map([
    ['a', 'p'],
    ['b', 'p'],
    ['c', 'p'],
  ]);
  const state = (sites: SavedState['sites']): ReconcilerState =>
    new ReconcilerState(
      { log: 'l', cluster: 'c', places },
      { log: 'l', cluster: 'c', runs: 1, byCode: {}, sites, findings: { named: [], beyond: [] } },
    );
  const pass = { began: 0, run: 1, checked: 0, upTo: {}, byCode: {} };
  const ALL = ['a', 'b', 'c'];

  it.each<[string, SavedState['sites'], number, readonly string[], number]>([
    ['first ones at once', {}, 0, ALL, Infinity],
    [
      'those under way at once, the others after the pause',
      {
        a: { place: 'p', checkedSince: 100, pass },
        b: { place: 'p', checkedSince: 100 },
        c: { place: 'p', checkedSince: 100 },
      },
      150,
      ['a'],
      200,
    ],
    [
      'the resting ones together',
      {
        a: { place: 'p', checkedSince: 50 },
        b: { place: 'p', checkedSince: 100 },
        c: { place: 'p', checkedSince: 100 },
      },
      150,
      [],
      200,
    ],
    [
      'all after the pause',
      {
        a: { place: 'p', checkedSince: 50 },
        b: { place: 'p', checkedSince: 100 },
        c: { place: 'p', checkedSince: 100, pass },
      },
      200,
      ALL,
      200,
    ],
    [
      'all where the clock was set back',
      {
        a: { place: 'p', checkedSince: 900 },
        b: { place: 'p', checkedSince: 900 },
        c: { place: 'p', checkedSince: 900 },
      },
      150,
      ALL,
      150,
    ],
  ])('%s', (_, sites, now, due, nextAt) => {
    expect(state(sites).due(ALL, now, 100)).toEqual({ sites: due, nextAt });
  });
});

describe('keeping the state', () => {
  it('saves once for all calls during a save, with a state no older than the calls', async () => {
    const store = new MemoryStore();
    let runs = 0;
    const keeper = new StateKeeper({
      store,
      save: () => ({ ...SAVED, runs }),
      onSaved: () => undefined,
    });
    const asked = Array.from({ length: 100 }, async (_, index) => {
      runs = index;
      await keeper.now();
      expect(decodeState(store.bytes ?? Buffer.alloc(0)).runs).toBeGreaterThanOrEqual(index);
    });
    await Promise.all(asked);
    expect(store.writes).toBeLessThanOrEqual(2);
  });

  it('reports a failure, retries by itself, and reports the success', async () => {
    const store = new MemoryStore();
    const reported: unknown[] = [];
    const kept = Promise.withResolvers<void>();
    const full = new CodedError({ code: 'STATE_FULL', message: 'It is full.', remedy: 'retry' });
    store.failure = full;
    const keeper = new StateKeeper({
      store,
      save: () => SAVED,
      onSaved: (error) => {
        reported.push(error);
        if (error === undefined) kept.resolve();
      },
    });
    await keeper.now();
    store.failure = undefined;
    await kept.promise;
    expect(reported).toEqual([full, undefined]);
  });
});
