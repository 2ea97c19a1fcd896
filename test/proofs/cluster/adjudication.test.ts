import { readFile } from 'node:fs/promises';
import { readPolicy } from '@residency/contracts';
import { canonicalJson, checkPolicy, decide } from '@residency/residency';
import { expect, test } from 'vitest';
import { sha256 } from '../on-disk.ts';
import type { AuditRow, IntakeRow } from '../on-disk.ts';
import { adjudicate } from './adjudication.ts';
import { inForce, moving, published, versionsOn } from './policy-changes.ts';
import type { VersionOnLog } from './policy-changes.ts';

const FIRST = readPolicy(
  await readFile(new URL('../../../policy/residency-1.json', import.meta.url)),
).document;
const SECOND = moving(FIRST, 'zurich', Date.parse('2030-01-01T00:00:10Z'));
const THIRD = moving(SECOND, 'moscow', Date.parse('2030-01-01T00:00:20Z'));
const VERSIONS = versionsOn(
  [
    [FIRST, '00'],
    [SECOND, '05'],
    [SECOND, '12'],
    [THIRD, '15'],
  ].map(([document, second], offset) => {
    const { record } = published(document as typeof FIRST);
    return {
      partition: 0,
      offset,
      at: second === '00' ? 0 : Date.parse(`2030-01-01T00:00:${second as string}Z`),
      key: record.key,
      headers: new Map(),
      value: record.value,
    };
  }),
);
const at = (second: number): number => Date.parse('2030-01-01T00:00:00Z') + second * 1_000;

test('each version moves one country, is valid, and is in force from its instant on, however often it is published', () => {
  expect([SECOND, THIRD].flatMap((document) => checkPolicy(document))).toEqual([]);
  expect(
    [9.999, 10, 19.999, 20].map((second) => inForce(VERSIONS, at(second))?.document.version),
  ).toEqual([1, 2, 2, 3]);
  expect([9, 10, 20].map((second) => regionOf('BR', second))).toEqual([
    'moscow',
    'zurich',
    'moscow',
  ]);
  expect([9, 10, 20].map((second) => regionOf('AR', second))).toEqual([
    'moscow',
    'moscow',
    'moscow',
  ]);
});

test('a version that was effective before its append is never in force', () => {
  const late = VERSIONS.map((version) =>
    version.document.version === 3 ? { ...version, appendedAt: at(21) } : version,
  );
  expect(inForce(late, at(25))?.document.version).toBe(2);
});

test('events decided under the version in force are no difference; all others are', () => {
  const right = [
    event(0, 'BR', 5, 1),
    event(1, 'BR', 10, 2),
    event(2, 'BR', 20, 3),
    event(3, 'AR', 30, 3),
  ];
  expect(
    adjudicate(
      right.map(({ row }) => row),
      right.map(({ audit }) => audit),
      VERSIONS,
    ),
  ).toEqual({
    differences: [],
    decidedUnder: new Map([
      [1, 1],
      [2, 1],
      [3, 2],
    ]),
  });
  for (const wrong of [
    event(0, 'BR', 5, 2),
    event(0, 'BR', 10, 1),
    event(0, 'BR', 20, 2),
    event(0, 'AR', 10, 1),
  ]) {
    expect(adjudicate([wrong.row], [wrong.audit], VERSIONS).differences).toHaveLength(1);
  }
});

function regionOf(country: string, second: number): string | undefined {
  const { document } = inForce(VERSIONS, at(second)) as VersionOnLog;
  return document.rules.find(
    ({ until, countries }) => until === undefined && countries.includes(country),
  )?.region;
}

/** A record of `country` appended at `second`, and an event that decided it under `version`. */
function event(
  offset: number,
  country: string,
  second: number,
  version: number,
): { readonly row: IntakeRow; readonly audit: AuditRow } {
  const { document } = VERSIONS[version - 1] as VersionOnLog;
  const decided = decide(
    { document, digest: sha256(Buffer.from(canonicalJson(document))) },
    country,
    at(second),
  );
  if (!decided.known) throw new Error('Expected a known country.');
  const id = `log/threat.samples/0/${offset}`;
  const data = {
    previous: null,
    decision: { region: decided.region, rule: decided.rule.id, policy: decided.policy },
  };
  return {
    row: {
      partition: 0,
      offset,
      at: at(second),
      headers: new Map([['ce_usercountry', Buffer.from(country)]]),
      value: null,
    },
    audit: {
      id,
      partition: 0,
      offset,
      at: at(second),
      outcome: 'stored',
      data,
      bytes: Buffer.alloc(0),
    },
  };
}
