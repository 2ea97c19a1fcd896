import { CodedError } from '@residency/coded-error';
import {
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  CLAIMS_ENDED,
  INITIAL_CONTROL,
  controlEventIn,
  evolveControl,
} from '@residency/contracts';
import type { ControlState, LogEntry } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { endClaims, standingClaims } from '../src/losses/end-claims.ts';
import type { System } from '../src/system/system.ts';
import { session } from './command-tree.ts';

const submission = (n: number): string => String(n).repeat(64);
const position = (n: number): string => `log-1/threat.samples/0/${n}`;
const lost = (n: number) => ({
  submission: submission(n),
  position: position(n),
  region: 'zurich',
});

type Fault = 'pass' | 'fail' | 'fail-but-persist';

/** Zurich with claims of the samples 1 and 2. `earlier`: offsets of other owners of the first identity. */
function world(faults: Fault[] = [], earlier: readonly number[] = []) {
  const claim = (n: number, offset = n) => ({
    submission: submission(n),
    of: position(offset),
    sampleSha256: 'a'.repeat(64),
    country: 'CH',
  });
  const claims = [1, 2].map((n) => [submission(n), claim(n)] as const);
  const service = { number: 1, arbiter: 'zrh-2', out: new Map(), retired: new Set<string>() };
  const zurich = { ...service, claims: new Map(claims), shadowed: earlier.map((n) => claim(1, n)) };
  let state: ControlState = { ...INITIAL_CONTROL, services: { zurich } };
  const owners: string[][] = [];
  const system: Pick<System, 'append' | 'controlView'> = {
    controlView: async () => ({ read: async () => state }),
    append: async (entries: readonly LogEntry[]) => {
      const fault = faults.shift() ?? 'pass';
      for (const { record } of fault === 'fail' ? [] : entries) {
        const event = controlEventIn({ headers: record.headers, value: record.value });
        if (event === undefined) throw new Error('no control event');
        state = evolveControl(state, event, 1);
        if (event.type === CLAIMS_ENDED) owners.push([...event.data.owners]);
      }
      if (fault !== 'pass')
        throw new CodedError({ code: 'UNREACHABLE', message: 'unknown', remedy: 'retry' });
      return [{ log: 'log-1', topic: 'residency.control', partition: 0, offset: 0n }];
    },
  };
  const endOf = (...samples: readonly ReturnType<typeof lost>[]) =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it asks for nothing else
    endClaims(session, system as System, samples);
  return {
    endOf,
    standing: async (...numbers: readonly number[]) => [
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it asks for nothing else
      ...(await standingClaims(system as System, numbers.map(lost))),
    ],
    claim: (n: number) => {
      const data = { act: 'c', region: 'zurich', attempt: 'x', claims: [claim(n)] };
      state = evolveControl(state, { type: ARBITER_CLAIMS, data }, 1);
    },
    end: (...numbers: readonly number[]) => endOf(...numbers.map(lost)),
    close: () => {
      const data = { act: 'c', region: 'zurich', site: 'zrh-2', next: 'zrh-1', reason: 'fire' };
      state = evolveControl(state, { type: ARBITER_CLOSING, data }, 1);
    },
    claimed: () => [...(state.services?.['zurich']?.claims.keys() ?? [])],
    owners,
  };
}

describe('the claims of lost samples', () => {
  it('end, those that stand, and no other one', async () => {
    const w = world();
    expect(await w.end(1, 3)).toBe(1);
    expect([w.owners, w.claimed()]).toEqual([[[position(1)]], [submission(2)]]);
    expect(await w.end(1, 3)).toBe(0);
    expect(w.owners).toHaveLength(1);
  });

  it('end also if another claim of the identity counts', async () => {
    const w = world([], [9]);
    const earlier = { ...lost(1), position: position(9) };
    expect(await w.endOf(earlier)).toBe(1);
    expect([w.owners, w.claimed()]).toEqual([[[position(9)]], [submission(1), submission(2)]]);
    expect(await w.endOf(earlier)).toBe(0);
  });

  it('are all named while a change of the arbiter is open', async () => {
    const w = world();
    w.close();
    expect(await w.end(1, 3)).toBe(2);
    expect(w.owners).toEqual([[position(1), position(3)]]);
  });

  it('are told of until they end, also those of an open change', async () => {
    const w = world();
    expect(await w.standing(1, 3)).toEqual([position(1)]);
    w.close();
    w.claim(3);
    expect(await w.standing(1, 3, 4)).toEqual([position(1), position(3)]);
    await w.end(1, 3);
    expect(await w.standing(1, 3, 4)).toEqual([]);
  });

  it.each<[Fault, number]>([
    ['fail', 1],
    ['fail-but-persist', 0],
  ])(
    'are not said to end if recording that ends with %s, and end at a repetition',
    async (fault, again) => {
      const w = world([fault]);
      await expect(w.end(1)).rejects.toMatchObject({ code: 'NOT_RECORDED' });
      expect(w.claimed()).toHaveLength(1 + again);
      expect(await w.end(1)).toBe(again);
      expect(w.claimed()).toEqual([submission(2)]);
    },
  );
});
