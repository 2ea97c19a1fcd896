import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ErasureIndex, encodeAuditEvent, isAbout } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { expect, it } from 'vitest';
import { intakeUntil } from '../src/erasure/erasure-plan.ts';
import { inParts, isNamed, namedBy } from '../src/erasure/named.ts';
import { receiptPage } from '../src/erasure/receipt-page.ts';
import type { AuditQuery } from '../src/system/system.ts';
import { program } from './command-tree.ts';
import { intakeText } from '../src/erasure/print-plan.ts';

it.each(['erase', 'keep-and-hold'])('the commands of docs/how-to/%s.md exist', async (page) => {
  const text = await readFile(new URL(`../../../docs/how-to/${page}.md`, import.meta.url), 'utf8');
  const lines = [...text.matchAll(/^ +npx residency (.*)$/gm)].map(([, line = '']) => line);
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) {
    const words = line.split(' ');
    let at = program;
    for (const word of words) at = at.commands.find((one) => one.name() === word) ?? at;
    expect([line, at.commands]).toEqual([line, []]);
    for (const word of words.filter((one) => one.startsWith('--')))
      expect(at.options.map(({ long }) => long)).toContain(word);
  }
});

const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)];

/** With events of these records in its audit log. */
function withRecords(...records: readonly { readonly at: number; readonly submission: string }[]) {
  return {
    auditRecords: ({ from = 0 }: AuditQuery = {}) =>
      Readable.from(
        records
          .filter(({ at }) => at >= from)
          .map(({ at, submission }) => encodeAuditEvent(refused(at, submission))),
      ),
  };
}

function refused(at: number, submission: string): AuditEvent {
  return {
    position: { log: 'log', topic: 'threat.samples', partition: 0, offset: BigInt(at) },
    at,
    outcome: 'refused',
    data: {
      previous: null,
      submission,
      sampleBytes: 1,
      verdict: 'malicious',
      consentId: 'consent-1',
      reason: 'CONSENT_WITHDRAWN',
    },
  };
}

const session = { signal: new AbortController().signal };

it.each([
  [0, undefined, 'with the sample'],
  [Infinity, 'forever', 'for ever'],
  [Number.MAX_SAFE_INTEGER, 'forever', 'for ever'],
  [60_000, '1970-01-01T00:01:09.000Z', 'until 1970-01-01T00:01:09.000Z'],
])('a retention of %s ms is said from the newest sample on', async (retention, until, text) => {
  const system = { intakeRetention: () => Promise.resolve(retention), ...withRecords() };
  const samples = [5, 9_000].map((at) => ({ at, submission: ONE }));
  expect(await intakeUntil(session, system, samples)).toBe(until);
  expect(intakeText(until)).toContain(text);
});

it('a record of a submission that came later keeps its bytes in the intake log for longer', async () => {
  const again = withRecords({ at: 20_000, submission: ONE }, { at: 30_000, submission: TWO });
  const system = { intakeRetention: () => Promise.resolve(60_000), ...again };
  const until = (at: number, submission: string) =>
    intakeUntil(session, system, [{ at, submission }]);
  expect(await until(5, ONE)).toBe('1970-01-01T00:01:20.000Z');
  expect(await until(25_000, ONE)).toBe('1970-01-01T00:01:25.000Z');
});

it('names are sorted, said once, and ordered in parts', async () => {
  expect(await namedBy({ submission: [TWO, ONE, TWO] })).toEqual({ submissions: [ONE, TWO] });
  const consents = Array.from({ length: 5 }, (_, n) => `consent-${n}`);
  expect(inParts({ consents }, 2)).toEqual([
    { consents: ['consent-0', 'consent-1'] },
    { consents: ['consent-2', 'consent-3'] },
    { consents: ['consent-4'] },
  ]);
});

it('a consent names the samples before its instant, and all of them if it has none', () => {
  const sample = { region: 'zurich', submission: ONE, consentId: 'consent-1' };
  const consents = ['consent-1'];
  const before = new Map([['consent-1', 10]]);
  const named = [9, 10].map((at) => isNamed({ consents }, before)({ ...sample, at }));
  expect(named).toEqual([true, false]);
  expect(isNamed({ consents })({ ...sample, at: 10 })).toBe(true);
  expect(isNamed({ submissions: [ONE] }, before)({ ...sample, at: 10 })).toBe(true);
  expect(isNamed({ submissions: [TWO] })({ ...sample, at: 9 })).toBe(false);
  const inMoscow = isNamed({ submissions: [ONE] }, before, 'moscow');
  expect([
    inMoscow({ ...sample, at: 9 }),
    inMoscow({ ...sample, region: 'moscow', at: 9 }),
  ]).toEqual([false, true]);
});

it('a sample has every order that names it, of its consent those made after it', () => {
  const order = { at: 1, reason: 'r', submissions: [], consents: [] };
  const before = (at: number) => [{ consentId: 'consent-1', before: new Date(at).toISOString() }];
  const orders = [
    { ...order, act: 'a', consents: before(10) },
    { ...order, act: 'b', submissions: [ONE] },
    { ...order, act: 'c', consents: before(20) },
    { ...order, act: 'd', region: 'moscow', submissions: [ONE] },
  ];
  const index = new ErasureIndex({ orders, holds: [] });
  const sample = { region: 'zurich', submission: ONE, consentId: 'consent-1' };
  const acts = (at: number) => index.ordersOf({ ...sample, at });
  expect([acts(9), acts(10), acts(20)]).toEqual([['b', 'a', 'c'], ['b', 'c'], ['b']]);
  const another = { region: 'zurich', submission: TWO, consentId: 'consent-2', at: 0 };
  expect(index.ordersOf(another)).toEqual([]);
  for (const one of orders) expect(isAbout(one, { ...sample, at: 9 })).toBe(one.act !== 'd');
  expect(isAbout({ ...order, act: 'a', consents: before(10) }, { ...sample, at: 10 })).toBe(false);
});

it('the page of a receipt says what was erased, what was not, and how to verify', () => {
  const sample = (submission: string) => ({
    region: 'zurich',
    submission,
    consentId: 'consent-1',
    at: 0,
    stored: {
      position: 'p',
      submission,
      region: 'zurich',
      placements: [{ site: 'zrh-1', sealedSha256: '', sealedBytes: 1 }] as const,
    },
  });
  const entry = {
    sample: sample(ONE),
    at: 0,
    sequence: 7,
    order: 'act',
    sites: ['zrh-1'],
    leaf: Buffer.alloc(0),
  };
  const order = { act: 'act', at: 0, reason: 'CANARY', submissions: [], consents: [] };
  const page = receiptPage({
    ordered: {
      order,
      doer: { by: 'CANARY', reason: 'CANARY' },
      samples: [
        {
          sample: sample(ONE),
          state: 'erased',
          sites: ['zrh-1'],
          erased: [entry],
          kept: { out: ['zrh-2'], retired: ['zrh-3'] },
        },
        {
          sample: sample(TWO),
          state: 'held',
          sites: [],
          erased: [],
          kept: { out: [], retired: [] },
        },
      ],
    },
    files: [{ file: 'zurich-7.tlog-proof', entry }],
    keys: new Map([['zurich', ['the-key']]]),
    intakeUntil: '2026-01-01T00:00:00.000Z',
  });
  expect(page).toContain(`| ${ONE} | 1970-01-01T00:00:00.000Z | zurich | zrh-1 |`);
  expect(page).toMatch(new RegExp(`${ONE}: the site zrh-2 .* until it is in service again`));
  expect(page).toMatch(new RegExp(`${ONE}: the site zrh-3 .* retired .* until its bucket`));
  expect(page).toMatch(new RegExp(`${TWO}: it must be kept`));
  expect(page).toContain('until 2026-01-01T00:00:00.000Z');
  expect(page).toContain('residency audit verify zurich-7.tlog-proof --key "the-key"');
  expect(page).not.toContain('CANARY');
});
