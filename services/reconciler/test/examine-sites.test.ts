import { CodedError } from '@residency/coded-error';
import type { SiteConfiguration } from '@residency/configuration';
import { PolicyBook } from '@residency/reconciliation';
import type { SiteReader } from '@residency/reconciliation';
import { BEGINNING_OF_TIME, COUNTRIES } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import { expect, it } from 'vitest';
import { examineSites } from '../src/examine-sites.ts';
import type { ExaminedSites } from '../src/examine-sites.ts';

function version(
  number: number,
  regions: Readonly<Record<string, readonly string[]>>,
): PolicyPublished {
  const rule = {
    from: BEGINNING_OF_TIME,
    basis: 'named',
    confidence: 'stated',
    cites: ['a source'],
  } as const;
  const [first = 'zurich'] = Object.keys(regions);
  return {
    digest: `digest-${number}`,
    appendedAt: 0,
    document: {
      id: 'gti',
      version: number,
      effectiveFrom: `20${20 + number}-01-01T00:00:00Z`,
      regions: Object.entries(regions).map(([id, sites]) => ({ id, sites })),
      rules: [{ ...rule, id: 'all', region: first, countries: [...COUNTRIES.keys()] }],
    },
  };
}

const FIRST = version(1, { zurich: ['zrh-1'], moscow: ['mow-1'] });
const WITH_SECOND = version(2, { zurich: ['zrh-1', 'zrh-2'], moscow: ['mow-1'] });
const away = new CodedError({ code: 'SITE_UNREACHABLE', message: 'It is away.', remedy: 'retry' });
const unmarked = new CodedError({
  code: 'SITE_MARKER_MISSING',
  message: 'It has no marker.',
  remedy: 'stop',
});

interface World {
  /** By site, what verifying it ends with. */
  readonly marker?: Readonly<Record<string, Error>>;
  /** By site, what listing it ends with. */
  readonly list?: Readonly<Record<string, Error>>;
  /** Sites that hold something. */
  readonly full?: readonly string[];
  /** What the log has at each reading; the last from then on. */
  readonly published?: readonly (readonly PolicyPublished[])[];
  readonly regionOf?: Readonly<Record<string, string>>;
  readonly out?: readonly string[];
}

async function examine({
  marker = {},
  list = {},
  full = [],
  published = [[FIRST]],
  regionOf = {},
  out = [],
}: World): Promise<ExaminedSites> {
  let reads = 0;
  const policies = await PolicyBook.open(
    async () => published[Math.min(reads++, published.length - 1)] ?? [],
  );
  const settings = ['zrh-1', 'zrh-2', 'mow-1'].map((site): SiteConfiguration => ({
    site,
    region: regionOf[site] ?? (site === 'mow-1' ? 'moscow' : 'zurich'),
    bucket: site,
    awsRegion: 'r',
    pathStyle: true,
    checksums: 'WHEN_REQUIRED',
  }));
  const reader = (site: string): SiteReader => ({
    site,
    read: () => Promise.resolve(undefined),
    list: async function* () {
      const error = list[site];
      if (error !== undefined) throw error;
      if (full.includes(site)) yield { key: 'something', foreign: true };
    },
  });
  return await examineSites({
    settings,
    policies,
    out: new Set(out),
    reader,
    now: () => 0,
    verify: async ({ site }) => {
      const error = marker[site];
      if (error !== undefined) throw error;
    },
  });
}

function said({ readers, foreign, reachable: there, unreachable: gone }: ExaminedSites): object {
  return {
    readers: readers.map(({ site }) => site).toSorted(),
    foreign,
    there: [...there].toSorted(),
    away: [...gone.keys()],
  };
}

const ALL = ['mow-1', 'zrh-1', 'zrh-2'];
const POLICYS = ['mow-1', 'zrh-1'];

it.each<[string, World, object]>([
  [
    'all that answer are compared, also one that a policy may name soon',
    {},
    { readers: ALL, foreign: [], there: ALL, away: [] },
  ],
  [
    'one that no policy names need not be prepared',
    { marker: { 'zrh-2': unmarked } },
    { readers: POLICYS, foreign: [], there: ALL, away: [] },
  ],
  [
    'one that no policy names and that holds something is foreign',
    { full: ['zrh-2', 'zrh-1'] },
    { readers: POLICYS, foreign: ['zrh-2'], there: ALL, away: [] },
  ],
  [
    'one that a policy names since is not',
    { full: ['zrh-2'], published: [[FIRST], [FIRST, WITH_SECOND]] },
    { readers: ALL, foreign: [], there: ALL, away: [] },
  ],
  [
    'one that does not answer is away, and configured all the same',
    { marker: { 'zrh-1': away }, list: { 'zrh-2': away } },
    { readers: ALL, foreign: [], there: ['mow-1'], away: ['zrh-1', 'zrh-2'] },
  ],
  [
    'one that is out of service is not asked, whatever became of its marker',
    {
      marker: { 'zrh-1': unmarked, 'mow-1': away },
      list: { 'zrh-2': away },
      out: ['zrh-1', 'mow-1', 'zrh-2', 'zrh-9'],
    },
    { readers: ALL, foreign: [], there: [], away: [] },
  ],
  [
    'before the first policy all are ready',
    { published: [[]] },
    { readers: ALL, foreign: [], there: ALL, away: [] },
  ],
])('%s', async (_, world, expected) => {
  expect(said(await examine(world))).toEqual(expected);
});

it.each<[string, World, string]>([
  ["a policy's site without its marker", { marker: { 'zrh-1': unmarked } }, 'SITE_MARKER_MISSING'],
  [
    'the same of one that a policy names since',
    { marker: { 'zrh-2': unmarked }, full: ['zrh-2'], published: [[FIRST], [FIRST, WITH_SECOND]] },
    'SITE_MARKER_MISSING',
  ],
  [
    'a site that the policy has in another region',
    { regionOf: { 'zrh-1': 'moscow' } },
    'SITE_ELSEWHERE',
  ],
  [
    'the same of one that a policy names since',
    {
      regionOf: { 'zrh-2': 'moscow' },
      full: ['zrh-2'],
      published: [[FIRST], [FIRST, WITH_SECOND]],
    },
    'SITE_ELSEWHERE',
  ],
])('%s needs a person', async (_, world, code) => {
  await expect(examine(world)).rejects.toMatchObject({ code, remedy: 'stop' });
});
