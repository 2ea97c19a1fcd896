import { expect, test } from 'vitest';
import type { ClusterEvidence } from '../cluster/cluster-evidence.ts';
import { sha256 } from '../on-disk.ts';
import type { CustodyEvidence, CustodyRow } from './custody-evidence.ts';
import { custodyFaults, lostSamples, zurichFaults } from './judge-copies.ts';

const A = 'a'.repeat(64);

interface Event {
  readonly submission: string;
  readonly region?: string;
  readonly sealed?: string;
}

/** Stored events at the offsets 0, 1, ..., and objects as `site/submission/digest`. */
function evidenceOf(events: readonly Event[], objects: readonly string[]): ClusterEvidence {
  const audit = events.map(({ submission, region = 'zurich', sealed = 'one' }, offset) => ({
    id: `log/threat.samples/0/${offset}`,
    partition: 0,
    offset,
    at: 0,
    outcome: 'stored',
    data: {
      previous: null,
      submission,
      decision: { region },
      placements: [{ site: 'any', sealedSha256: sealed }],
    },
    bytes: Buffer.alloc(0),
  }));
  return {
    name: 'log',
    intake: [],
    audit,
    auditPartitions: [],
    quarantined: [],
    versions: [],
    aborted: 0,
    settled: new Map(),
    leftBehind: [],
    objects: objects.map((text) => {
      const [site = '', submission = '', digest = ''] = text.split('/');
      return { site, submission, path: '', lawfulPath: '', sha256: digest };
    }),
  };
}

const WHOLE = [`zrh-1/${A}/one`, `zrh-2/${A}/one`];
const NOBODY: ReadonlySet<string> = new Set();

test('a sample is lost only if no site of Zurich has the ciphertext of its first placement', () => {
  const stored = [{ submission: A }];
  expect([...lostSamples(evidenceOf(stored, [`zrh-2/${A}/one`]))]).toEqual([]);
  for (const objects of [[], [`zrh-2/${A}/other`], [`mow-1/${A}/one`], ['zrh-2/b/one']])
    expect([...lostSamples(evidenceOf(stored, objects))]).toEqual([A]);
  expect([...lostSamples(evidenceOf([{ submission: A, region: 'moscow' }], []))]).toEqual([]);
});

test('each identity is stored once in a region, and each of its sites holds the same bytes', () => {
  const one = { submission: A };
  expect(zurichFaults(evidenceOf([one], WHOLE), NOBODY)).toEqual([]);
  const both = evidenceOf([one, { ...one, region: 'moscow' }], [...WHOLE, `mow-1/${A}/one`]);
  expect(zurichFaults(both, NOBODY)).toEqual([]);
  expect(zurichFaults(evidenceOf([one, one], WHOLE), NOBODY)).toEqual([
    `zurich ${A} is stored 2 times: log/threat.samples/0/0, log/threat.samples/0/1`,
  ]);
  for (const objects of [[`zrh-1/${A}/one`], [`zrh-1/${A}/one`, `zrh-2/${A}/other`]])
    expect(zurichFaults(evidenceOf([one], objects), NOBODY)).toEqual([
      'log/threat.samples/0/0: zrh-2 does not hold the ciphertext of the first placement',
    ]);
  expect(zurichFaults(evidenceOf([one], []), new Set([A]))).toEqual([]);
});

/** A chained custody log of copies. */
function copiesOf(
  copies: readonly { readonly of: string; readonly site: string; readonly sealed: string }[],
): CustodyEvidence {
  const rows: CustodyRow[] = [];
  for (const { of, site, sealed } of copies) {
    const before = rows.at(-1);
    rows.push({
      type: 'residency.sample.copied.v1',
      sequence: String(rows.length).padStart(20, '0'),
      bytes: Buffer.from(`event ${rows.length}`),
      data: {
        previous: before === undefined ? null : sha256(before.bytes),
        of,
        copy: { site, sealedSha256: sealed },
      },
    });
  }
  return { rows, copies: rows, changes: [] };
}

test('each copy is of a stored sample, has its ciphertext, and stays in its region', () => {
  const evidence = evidenceOf([{ submission: A }], WHOLE);
  const right = { of: 'log/threat.samples/0/0', site: 'zrh-1', sealed: 'one' };
  expect(custodyFaults(evidence, copiesOf([right, { ...right, site: 'zrh-2' }]))).toEqual([]);
  for (const wrong of [{ of: 'log/threat.samples/0/7' }, { sealed: 'other' }, { site: 'mow-1' }])
    expect(custodyFaults(evidence, copiesOf([right, { ...right, ...wrong }]))).toHaveLength(1);
});

test('a gap or a changed event breaks the custody chain', () => {
  const evidence = evidenceOf([{ submission: A }], WHOLE);
  const right = { of: 'log/threat.samples/0/0', site: 'zrh-1', sealed: 'one' };
  const { rows } = copiesOf([right, right, right]);
  const broken = (some: readonly CustodyRow[]): number =>
    custodyFaults(evidence, { rows: some, copies: [], changes: [] }).length;
  expect(broken(rows)).toBe(0);
  expect(broken([...rows.slice(0, 1), ...rows.slice(2)])).toBe(1);
  expect(
    broken(rows.map((row, index) => (index === 1 ? { ...row, bytes: Buffer.from('x') } : row))),
  ).toBe(1);
});
