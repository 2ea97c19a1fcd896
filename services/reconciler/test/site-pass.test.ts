import type { Difference } from '@residency/reconciliation';
import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  property,
  record,
  shuffledSubarray,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SitePass } from '../src/site-pass.ts';

const MISSING: Difference = { code: 'OBJECT_MISSING', message: 'It is missing.' };
const partition = constantFrom('log/threat.samples/0', 'log/threat.samples/1');

/**
 * Objects of some partitions, with gaps between their offsets, and an order in which some of them
 * are compared.
 */
const reading = array(record({ partition, gap: integer({ min: 1, max: 3 }), missing: boolean() }), {
  maxLength: 40,
}).chain((some) => {
  const offsets = new Map<string, bigint>();
  const objects = some.map(({ partition: name, gap, missing }) => {
    const offset = (offsets.get(name) ?? -1n) + BigInt(gap);
    offsets.set(name, offset);
    return { partition: name, offset, missing };
  });
  return shuffledSubarray(objects).map((compared) => ({ objects, compared }));
});

/** What lies before the first one that was not compared, by the definition. */
function withoutGap({
  objects,
  compared,
}: {
  readonly objects: readonly { readonly partition: string; readonly missing: boolean }[];
  readonly compared: readonly object[];
}) {
  return [...Map.groupBy(objects, (object) => object.partition).values()].flatMap((lane) => {
    const first = lane.findIndex((object) => !compared.includes(object));
    return first < 0 ? lane : lane.slice(0, first);
  });
}

describe('a pass over a site', () => {
  it('resumes behind the objects that were compared without a gap, in any order, also from a saved state', () => {
    assert(
      property(reading, ({ objects, compared }) => {
        const pass = SitePass.begin(5, 3);
        const ends = new Map(
          objects.map((object) => [object, pass.begins(object.partition, object.offset)]),
        );
        for (const object of compared) ends.get(object)?.(object.missing ? [MISSING] : []);
        const done = withoutGap({ objects, compared });
        for (const known of [pass, new SitePass(pass.save())]) {
          expect(
            objects.filter((object) => known.isChecked(object.partition, object.offset)),
          ).toEqual(objects.filter((object) => done.includes(object)));
          const missing = done.filter((object) => object.missing).length;
          expect(known.save()).toMatchObject({
            began: 5,
            run: 3,
            checked: done.length,
            byCode: missing === 0 ? {} : { OBJECT_MISSING: missing },
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('rereads objects that were in progress when it was interrupted, even if a comparison still runs', () => {
    const pass = SitePass.begin(0, 1);
    const [first, second] = [pass.begins('p', 0n), pass.begins('p', 1n)];
    second([MISSING]);
    pass.interrupted();
    first([]);
    expect([pass.isChecked('p', 0n), pass.checked]).toEqual([false, 0]);
    const again = [pass.begins('p', 0n), pass.begins('p', 1n)];
    for (const end of again) end([]);
    second([MISSING]);
    expect([pass.isChecked('p', 1n), pass.isChecked('p', 2n), pass.save().byCode]).toEqual([
      true,
      false,
      {},
    ]);
  });

  it('holds nothing of finished objects, however many there are', () => {
    const pass = SitePass.begin(0, 1);
    const slow = pass.begins('p', 0n);
    for (let offset = 1n; offset < 5_000n; offset += 1n) pass.begins('p', offset)([]);
    expect(pass.checked).toBe(0);
    slow([]);
    for (let offset = 5_000n; offset < 20_000n; offset += 1n) pass.begins('p', offset)([]);
    expect([pass.checked, JSON.stringify(pass.save()).length < 200]).toEqual([20_000, true]);
  });

  it('remembers at most as many partitions as a log may have, whatever the audit log names', () => {
    const pass = SitePass.begin(0, 1);
    for (let named = 0; named < 10_050; named += 1) pass.begins(`made-up/${named}`, 0n)([]);
    expect(Object.keys(pass.save().upTo)).toHaveLength(10_000);
  });
});
