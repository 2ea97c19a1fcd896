import { sha256 } from '@residency/contracts';
import { holding } from '@residency/custody';
import type { SampleCopied, SampleErased, SampleEvent, StoredSample } from '@residency/custody';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CustodyIndex } from '../src/custody-index.ts';

const digest = (text: string): string => sha256(Buffer.from(text));

function stored(offset: bigint): StoredSample {
  return {
    position: `log-1/threat.samples/0/${offset}`,
    submission: digest(`submission ${offset}`),
    region: 'zurich',
    placements: [{ site: 'zrh-1', sealedSha256: digest(`sealed ${offset}`), sealedBytes: 9 }],
  };
}

function copied(sample: StoredSample, site: string, over: Partial<SampleCopied> = {}) {
  const { position, submission, region, placements } = sample;
  return {
    type: 'copied',
    of: position,
    submission,
    region,
    copy: { ...placements[0], site },
    ...over,
  } as const;
}

function erased(sample: StoredSample, sites: readonly string[], order: string): SampleErased {
  const { position, submission, region } = sample;
  return { type: 'erased', of: position, submission, region, order, sites };
}

const offset = fc.oneof(
  fc.bigInt({ min: 0n, max: 200n }),
  fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n }),
);
const event = fc.record({
  // Few, so that several events meet.
  offset: fc.oneof(fc.bigInt({ min: 0n, max: 3n }), offset),
  site: fc.constantFrom('zrh-1', 'zrh-2', 'zrh-3'),
  mistake: fc.constantFrom('', '', '', 'submission', 'region', 'sealedSha256', 'sealedBytes'),
  order: fc.constantFrom('', '', '', 'order-1', 'order-2'),
  end: fc.constantFrom('erased', 'lost'),
});

describe('the index of custody events', () => {
  it('lets the fold find what it finds in the events themselves, at whatever offsets and however often', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (made) => {
        const index = new CustodyIndex();
        const events = made.map(({ offset: at, site, mistake, order, end }): SampleEvent => {
          const sample = stored(at);
          const right = copied(sample, site);
          if (order !== '')
            return {
              ...erased(sample, [site, 'zrh-9'], order),
              type: end,
              ...(mistake === 'submission' ? { submission: digest('another') } : {}),
            };
          if (mistake === 'submission' || mistake === 'region')
            return { ...right, [mistake]: digest('another') };
          const other = mistake === 'sealedBytes' ? 10 : digest('another');
          return mistake === '' ? right : { ...right, copy: { ...right.copy, [mistake]: other } };
        });
        for (const one of events) index.add(one);
        for (const at of new Set(made.map((one) => one.offset))) {
          const sample = stored(at);
          const about = events.filter(({ of }) => of === sample.position);
          const [found, expected] = [holding(sample, index.about(sample)), holding(sample, about)];
          expect(namesOf(found)).toEqual(namesOf(expected));
        }
        expect([...index.unmet()]).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('names the accesses whose stored event is not met, or is of another submission or region', () => {
    const index = new CustodyIndex();
    for (const at of [0n, 0n, 1n, 2n, 3n]) {
      const { position: of, submission, region } = stored(at);
      index.mention({ of, submission, region });
    }
    index.mention({ ...copied(stored(1n), 'zrh-1'), submission: digest('another') });
    index.mention({ ...copied(stored(3n), 'zrh-1'), submission: digest('another') });
    index.mention({ ...copied(stored(4n), 'zrh-1'), region: 'moscow' });
    for (const at of [0n, 1n, 2n, 4n, 9n]) index.about(stored(at));
    expect([...index.unmet()].map(({ position }) => position).toSorted()).toEqual(
      [1, 3, 4].map((at) => `log-1/threat.samples/0/${at}`),
    );
  });

  it('names the events that nobody asked for', () => {
    const index = new CustodyIndex();
    index.add(erased(stored(9n), ['zrh-1'], 'order-1'));
    index.add({ ...erased(stored(200n), ['zrh-1'], 'order-1'), type: 'lost' });
    for (const at of [0n, 63n, 64n, 70_000n]) index.add(copied(stored(at), 'zrh-2'));
    expect(index.about(stored(64n))).toHaveLength(1);
    expect(index.about(stored(65n))).toEqual([]);
    const unmet = [...index.unmet()];
    expect(unmet.map(({ position }) => position).toSorted()).toEqual(
      [0, 200, 63, 70_000, 9].map((at) => `log-1/threat.samples/0/${at}`),
    );
    for (const at of [9, 200])
      expect(unmet).toContainEqual({ position: `log-1/threat.samples/0/${at}` });
  });
});

/** Of a copy after a loss and before an erasure, the index says that it came after both. */
function namesOf({
  holding: { copies, erased: gone, lost },
  findings,
}: ReturnType<typeof holding>) {
  const sorted = findings
    .map(({ code, site }) => `${code.replace(/^(COPIED_AFTER)_.*/, '$1')} ${site}`)
    .toSorted();
  return [copies.map(({ site }) => site).toSorted(), gone, lost, sorted];
}
