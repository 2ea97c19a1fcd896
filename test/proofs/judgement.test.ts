import { expect, test } from 'vitest';
import { judge } from './judgement.ts';
import type { Evidence, Judgement } from './judgement.ts';
import type { IntakeRow } from './on-disk.ts';
import type { Expectation } from './traffic.ts';

// Two partitions. `a` and `b` have one owner each; both partitions race for `c`, and the second one
// won; one record is refused.
const MUST: Readonly<Record<string, Expectation>> = {
  '0/0': placeable('a', 'zurich', 'CH'),
  '0/1': placeable('a', 'zurich', 'CH'),
  '0/2': placeable('c', 'moscow', 'RU'),
  '0/3': { kind: 'refused', reason: 'CONSENT_UNKNOWN' },
  '1/0': placeable('c', 'moscow', 'RU'),
  '1/1': placeable('b', 'moscow', 'RU'),
  '1/2': placeable('b', 'moscow', 'BR'),
};
const INTAKE = Object.keys(MUST).map((name): IntakeRow => {
  const [partition = 0, offset = 0] = name.split('/').map(Number);
  return { partition, offset, at: 1_000 + offset, headers: new Map(), value: null };
});
const AUDIT: Evidence['audit'] = [
  event('0/0', 'stored', stored('a', 'zurich', ['zrh-1', 'zrh-2'])),
  event('0/1', 'duplicate', { of: 'log/threat.samples/0/0' }),
  event('0/2', 'duplicate', { of: 'log/threat.samples/1/0' }),
  event('0/3', 'refused', { reason: 'CONSENT_UNKNOWN' }),
  event('1/0', 'stored', stored('c', 'moscow', ['mow-1'])),
  event('1/1', 'stored', stored('b', 'moscow', ['mow-1'])),
  event('1/2', 'quarantined', { reason: 'IDENTITY_CONFLICT' }),
];
const INNOCENT: Evidence = {
  name: 'log',
  intake: INTAKE,
  audit: AUDIT,
  settled: new Map([
    [0, 3],
    [1, 2],
  ]),
  leftBehind: [],
  objects: [object('zrh-1', 'a'), object('zrh-2', 'a'), object('mow-1', 'b'), object('mow-1', 'c')],
};

test('a system that kept every promise has no fault, whichever of two partitions was faster', () => {
  expect(counts({})).toEqual({ lost: 0, twice: 0, wrongRegion: 0, other: 0 });
});

const CRIMES: readonly (readonly [
  string,
  Partial<Evidence>,
  Partial<ReturnType<typeof counts>>,
])[] = [
  ['a record without an event is lost', { audit: changed('0/3', () => []) }, { lost: 1 }],
  [
    'a hole in an intake partition is a loss',
    {
      intake: INTAKE.map((row) =>
        row.partition === 1 && row.offset === 2 ? { ...row, offset: 3 } : row,
      ),
    },
    { lost: 2, other: 2 },
  ],
  ['a missing object is a loss', { objects: INNOCENT.objects.slice(1) }, { lost: 1 }],
  [
    'two events about one record are one too many',
    { audit: changed('0/3', (one) => [one, { ...one, data: { ...one.data, previous: '3' } }]) },
    { twice: 1 },
  ],
  [
    'an identity stored from two records is stored twice',
    {
      audit: changed('0/2', (one) => [
        { ...one, outcome: 'stored', data: { ...one.data, ...stored('c', 'moscow', ['mow-1']) } },
      ]),
    },
    { twice: 1 },
  ],
  [
    "an object in another region's site is in the wrong region",
    { objects: [...INNOCENT.objects, object('mow-1', 'a')] },
    { wrongRegion: 1 },
  ],
  [
    'an object of a refused record is in the wrong region',
    { objects: [...INNOCENT.objects, object('zrh-1', 'd')] },
    { wrongRegion: 1 },
  ],
  [
    'a wrong reason is a fault',
    {
      audit: changed('0/3', (one) => [
        { ...one, data: { ...one.data, reason: 'CONSENT_WITHDRAWN' } },
      ]),
    },
    { other: 1 },
  ],
  [
    'a duplicate of the wrong record is a fault',
    {
      audit: changed('0/1', (one) => [
        { ...one, data: { ...one.data, of: 'log/threat.samples/1/0' } },
      ]),
    },
    { other: 1 },
  ],
  [
    'a later record of a partition cannot own what an earlier one offered',
    {
      audit: AUDIT.map((one) => {
        if (one.id.endsWith('/0/0'))
          return {
            ...one,
            outcome: 'duplicate',
            data: { ...one.data, of: 'log/threat.samples/0/1' },
          };
        return one.id.endsWith('/0/1')
          ? {
              ...one,
              outcome: 'stored',
              data: { ...one.data, ...stored('a', 'zurich', ['zrh-1', 'zrh-2']) },
            }
          : one;
      }),
    },
    { twice: 1, other: 1 },
  ],
  [
    'a chain that names another predecessor is broken',
    { audit: changed('1/2', (one) => [{ ...one, data: { ...one.data, previous: '0' } }]) },
    { other: 1 },
  ],
  [
    "an event of another time than its record's is a fault",
    { audit: changed('1/1', (one) => [{ ...one, at: 5 }]) },
    { other: 1 },
  ],
  [
    'an event about no record is a fault',
    { audit: [...AUDIT, event('1/3', 'refused', { reason: 'CONSENT_UNKNOWN' })] },
    { other: 1 },
  ],
  [
    'progress short of the end is a fault',
    {
      settled: new Map([
        [0, 3],
        [1, 1],
      ]),
    },
    { other: 1 },
  ],
  [
    'other bytes than the event says are a fault',
    {
      objects: INNOCENT.objects.map((one) =>
        one.submission === 'b' ? { ...one, sha256: 'other' } : one,
      ),
    },
    { other: 1 },
  ],
  [
    'an object under another key is a fault',
    {
      objects: INNOCENT.objects.map((one) =>
        one.submission === 'b' ? { ...one, path: 'samples/b' } : one,
      ),
    },
    { other: 1 },
  ],
  ['what is left behind is a fault', { leftBehind: ['tmp/1'] }, { other: 1 }],
];

test.for(CRIMES)('%s', ([, crime, found]) => {
  expect(counts(crime)).toEqual({ lost: 0, twice: 0, wrongRegion: 0, other: 0, ...found });
});

function counts(
  crime: Partial<Evidence>,
): Record<'lost' | 'twice' | 'wrongRegion' | 'other', number> {
  const judgement: Judgement = judge(
    { ...INNOCENT, ...crime },
    ({ partition, offset }) =>
      MUST[`${partition}/${offset}`] ?? { kind: 'refused', reason: 'NOT_MEANT' },
  );
  return {
    lost: judgement.lost.length,
    twice: judgement.twice.length,
    wrongRegion: judgement.wrongRegion.length,
    other: judgement.other.length,
  };
}

function placeable(identity: string, region: string, country: string): Expectation {
  return { kind: 'placeable', identity, region, country, sampleSha256: `sample of ${identity}` };
}

function event(
  name: string,
  outcome: string,
  data: Readonly<Record<string, unknown>>,
): Evidence['audit'][number] {
  const [partition = 0, offset = 0] = name.split('/').map(Number);
  return {
    id: `log/threat.samples/${name}`,
    partition,
    offset,
    at: 1_000 + offset,
    outcome,
    data: { ...data, previous: offset === 0 ? null : String(offset - 1) },
  };
}

function stored(
  identity: string,
  region: string,
  sites: readonly string[],
): Readonly<Record<string, unknown>> {
  return {
    submission: identity,
    decision: { region },
    placements: sites.map((site) => ({ site, sealedSha256: `${site}/${identity}` })),
  };
}

function object(site: string, submission: string): Evidence['objects'][number] {
  const path = `samples/${submission.slice(0, 2)}/${submission.slice(2, 4)}/${submission}`;
  return {
    site,
    submission,
    path,
    lawfulPath: path,
    sha256: `${site}/${submission}`,
  };
}

function changed(
  name: string,
  change: (one: Evidence['audit'][number]) => readonly Evidence['audit'][number][],
): Evidence['audit'] {
  return AUDIT.flatMap((one) => (one.id === `log/threat.samples/${name}` ? change(one) : [one]));
}
