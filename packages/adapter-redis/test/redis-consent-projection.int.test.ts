import type { ConsentHistory } from '@residency/consent';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisConsentProjection } from '../src/redis-consent-projection.ts';
import { RedisConsentView } from '../src/redis-consent-view.ts';
import { codeOf, someRedis } from './some-redis.ts';
import type { SomeRedis } from './some-redis.ts';

let some: SomeRedis;
beforeEach(async () => {
  some = await someRedis();
});
afterEach(async () => {
  await some.close();
});

const ID = 'consent-0001';
const given = (from: number): ConsentHistory => [
  { from, purposes: ['threat-sample-sharing'], termsVersion: '1' },
];
const at = (next: bigint, watermark = Number(next) * 10) => ({ next, watermark, halted: false });

/** One step that is expected to be applied. */
async function step(
  expected: Parameters<RedisConsentProjection['apply']>[0]['expected'],
  next: bigint,
  histories: readonly (readonly [string, ConsentHistory])[] = [],
) {
  const answer = await some.projection.apply({
    expected,
    to: at(next),
    histories: new Map(histories),
  });
  if (!answer.applied) throw new Error('Expected it to be applied.');
  return answer.position;
}

describe('the projection in Redis', () => {
  it('has no position before the first step, and the one of the last step after it', async () => {
    expect(await some.projection.position()).toBeUndefined();
    const first = await step(undefined, 1n);
    expect(await some.projection.position()).toEqual(first);
    const second = await step(first, 2n);
    expect(await some.projection.position()).toEqual(second);
    expect(second).toEqual({
      log: 'log-1',
      generation: first.generation,
      next: 2n,
      watermark: 20,
      halted: false,
    });
  });

  it('changes nothing where the position is another one, and says which', async () => {
    const first = await step(undefined, 1n, [[ID, given(1)]]);
    const second = await step(first, 2n);
    const stale = { to: at(3n), histories: new Map([[ID, given(99)]]) };
    expect(await some.projection.apply({ expected: first, ...stale })).toEqual({
      applied: false,
      found: second,
    });
    expect(await some.projection.apply({ expected: undefined, ...stale })).toEqual({
      applied: false,
      found: second,
    });
    expect(
      await some.projection.apply({ expected: { ...second, halted: true }, ...stale }),
    ).toEqual({ applied: false, found: second });
    expect(await some.projection.histories([ID])).toEqual({
      position: second,
      histories: new Map([[ID, given(1)]]),
    });
  });

  it('changes nothing where Redis was emptied in between', async () => {
    const first = await step(undefined, 1n);
    await some.admin.del(some.key('position:2'));
    expect(
      await some.projection.apply({
        expected: first,
        to: at(2n),
        histories: new Map([[ID, given(1)]]),
      }),
    ).toEqual({ applied: false, found: undefined });
    expect(await some.admin.exists(some.key(`consent:2:${ID}`))).toBe(0);
  });

  it('lets one of many racing projectors win each step, and its states with it', async () => {
    const rivals = Array.from({ length: 4 }, () => new RedisConsentProjection(some.settings));
    let expected: Awaited<ReturnType<RedisConsentProjection['position']>>;
    for (let round = 1; round <= 25; round += 1) {
      const answers = await Promise.all(
        rivals.map(
          async (rival, index) =>
            await rival.apply({
              expected,
              to: at(BigInt(round), round * 10 + index),
              histories: new Map([
                [ID, given(round * 10 + index)],
                ['consent-0002', given(round * 10 + index)],
              ]),
            }),
        ),
      );
      const [winner, ...more] = answers.filter(({ applied }) => applied);
      expect(more).toEqual([]);
      const { position, histories } = await some.projection.histories([ID, 'consent-0002']);
      expect(
        answers.every(
          (answer) => answer.applied || answer.found?.watermark === position?.watermark,
        ),
      ).toBe(true);
      expect(winner).toEqual({ applied: true, position });
      expect([...histories.values()]).toEqual([
        given(position?.watermark ?? 0),
        given(position?.watermark ?? 0),
      ]);
      expected = position;
    }
    await Promise.all(
      rivals.map(async (rival) => {
        await rival.close();
      }),
    );
  });

  it('counts states of an earlier projection as absent, where only the position was deleted', async () => {
    const first = await step(undefined, 9n, [
      [ID, given(1)],
      ['consent-0002', given(2)],
    ]);
    await some.admin.del(some.key('position:2'));
    const again = await step(undefined, 1n, [['consent-0002', given(3)]]);
    expect(again.generation).not.toBe(first.generation);
    expect((await some.projection.histories([ID, 'consent-0002'])).histories).toEqual(
      new Map([['consent-0002', given(3)]]),
    );
    expect((await some.view.read([ID, 'consent-0002'])).histories).toEqual(
      new Map([['consent-0002', given(3)]]),
    );
  });

  it('takes a thousand histories in a step and refuses more', async () => {
    const many = Array.from(
      { length: 1_000 },
      (_, index) => [`consent-${10_000 + index}`, given(index)] as const,
    );
    const first = await step(undefined, 1n, many);
    expect((await some.view.read(many.map(([id]) => id))).histories).toEqual(new Map(many));
    expect(await codeOf(step(first, 2n, [...many, [ID, given(1)]]))).toBe('TOO_MANY_CONSENTS');
  });

  it('keeps all its keys in one slot of a cluster', async () => {
    await step(undefined, 1n, [
      [ID, given(1)],
      ['consent-0002', given(2)],
    ]);
    const keys = await some.admin.keys(`*${some.settings.keyPrefix}*`);
    expect(keys.toSorted()).toEqual(
      [
        some.key(`consent:2:${ID}`),
        some.key('consent:2:consent-0002'),
        some.key('position:2'),
      ].toSorted(),
    );
    expect(new Set(keys.map((key) => /^\{[^}]+\}/.exec(key)?.[0])).size).toBe(1);
  });
});

describe('the view in Redis', () => {
  it('says that there is none, to be tried again, as long as nothing was projected', async () => {
    await expect(some.view.read([ID])).rejects.toMatchObject({
      code: 'CONSENT_VIEW_EMPTY',
      remedy: 'retry',
    });
    await step(undefined, 1n, [[ID, given(1)]]);
    expect(await some.view.read([ID, ID, 'consent-0002'])).toEqual({
      watermark: 10,
      histories: new Map([[ID, given(1)]]),
    });
    await some.admin.del(some.key('position:2'));
    await expect(some.view.read([ID])).rejects.toMatchObject({
      code: 'CONSENT_VIEW_EMPTY',
      remedy: 'retry',
    });
  });

  it('is refused where it is of another log, to both sides', async () => {
    const position = await step(undefined, 1n);
    const [view, projection] = [
      new RedisConsentView({ ...some.settings, log: 'log-2' }),
      new RedisConsentProjection({ ...some.settings, log: 'log-2' }),
    ];
    await expect(view.read([ID])).rejects.toMatchObject({
      code: 'CONSENT_VIEW_FOREIGN',
      remedy: 'stop',
    });
    await expect(projection.position()).rejects.toMatchObject({
      code: 'CONSENT_VIEW_FOREIGN',
      remedy: 'stop',
    });
    await expect(
      projection.apply({ expected: undefined, to: at(1n), histories: new Map() }),
    ).rejects.toMatchObject({ code: 'CONSENT_VIEW_FOREIGN', remedy: 'stop' });
    expect(await some.projection.position()).toEqual(position);
    await Promise.all([view.close(), projection.close()]);
  });

  it('is not read while it is halted, and says how far it is all the same', async () => {
    await expect(some.view.position()).rejects.toMatchObject({
      code: 'CONSENT_VIEW_EMPTY',
      remedy: 'retry',
    });
    await some.projection.apply({
      expected: undefined,
      to: { ...at(1n), halted: true },
      histories: new Map(),
    });
    expect(await some.view.position()).toEqual({ watermark: 10, halted: true });
    await expect(some.view.read([ID])).rejects.toMatchObject({
      code: 'CONSENT_VIEW_HALTED',
      remedy: 'retry',
    });
    expect(await some.projection.position()).toMatchObject({ halted: true });
  });

  it.each(['', 'nonsense', '{"v":2,"generation":"g","history":[]}'])(
    'is not read where a consent state is "%s", until that is mended',
    async (text) => {
      await step(undefined, 1n, [[ID, given(1)]]);
      await some.admin.set(some.key('consent:2:consent-0002'), text);
      expect((await some.view.read([ID])).histories.size).toBe(1);
      await expect(some.view.read([ID, 'consent-0002'])).rejects.toMatchObject({
        code: 'CONSENT_VIEW_BROKEN',
        remedy: 'retry',
      });
      await some.admin.del(some.key('consent:2:consent-0002'));
      expect((await some.view.read([ID, 'consent-0002'])).histories.size).toBe(1);
    },
  );

  it.each(['', 'nonsense', '{"v":2,"log":"log-1"}'])(
    'is not read where the position is "%s", nor projected into',
    async (text) => {
      await some.admin.set(some.key('position:2'), text);
      await expect(some.view.read([ID])).rejects.toMatchObject({
        code: 'CONSENT_VIEW_BROKEN',
        remedy: 'retry',
      });
      await expect(some.projection.position()).rejects.toMatchObject({
        code: 'CONSENT_VIEW_BROKEN',
        remedy: 'retry',
      });
    },
  );

  it('does not become something else where other kinds of values stand under its keys', async () => {
    await some.admin.hset(some.key('position:2'), 'a', 'b');
    await expect(some.view.read([ID])).rejects.toMatchObject({
      code: 'CONSENT_VIEW_EMPTY',
      remedy: 'retry',
    });
    await expect(
      some.projection.apply({ expected: undefined, to: at(1n), histories: new Map() }),
    ).rejects.toMatchObject({ code: 'CONSENT_VIEW_BROKEN', remedy: 'retry' });
  });

  it('reads ten thousand ids at once and refuses more', async () => {
    await step(undefined, 1n, [[ID, given(1)]]);
    const ids = Array.from({ length: 10_000 }, (_, index) => `consent-${10_000 + index}`);
    expect((await some.view.read(ids)).histories.size).toBe(0);
    expect(await codeOf(some.view.read([...ids, ID]))).toBe('TOO_MANY_CONSENTS');
  });
});
