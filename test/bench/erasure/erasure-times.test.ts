import { expect, test } from 'vitest';
import type { ErasureEvidence } from '../../proofs/erasure/erasure-evidence.ts';
import { consentTimes } from './erasure-times.ts';

const event = (type: string, at: number, data: object) => ({
  type,
  at,
  bytes: Buffer.alloc(0),
  data: data as Readonly<Record<string, unknown>>,
});
const erased = (of: string, at: number, ...sites: readonly string[]) =>
  event('residency.sample.erased.v1', at, { of, sites: sites.map((site) => ({ site })) });
const outcome = (id: string, is: string) => ({
  partition: 0,
  appendedAt: 0,
  event: {
    id,
    outcome: is,
    at: 900,
    data: { submission: id, consentId: 'c', decision: { region: 'zurich' } },
  },
});

const audit = [outcome('old', 'stored'), outcome('soon', 'stored'), outcome('late', 'refused')];
const evidence = {
  consents: [event('consent.withdrawn.v1', 1_000, { consentId: 'c' })],
  control: [
    event('residency.erasure.ordered.v1', 1_200, {
      act: 'o',
      consents: [{ consentId: 'c', before: new Date(1_000).toISOString() }],
    }),
  ],
  custody: {
    zurich: [
      erased('old', 1_500, 'zrh-1'),
      erased('soon', 1_700, 'zrh-1', 'zrh-2'),
      erased('old', 4_000, 'zrh-2'),
    ],
  },
  audit: audit.map((each) => each.event),
  auditPartitions: audit,
} as unknown as ErasureEvidence;
const consent = { id: 'c', stored: ['old'], before: ['soon'], after: ['late'] };

test('times run from the withdrawal to the order, and to the event after which every site is named', () => {
  expect(consentTimes(evidence)(consent)).toEqual({
    order: 200,
    stored: [3_000],
    onTheirWay: [700],
    refused: 1,
  });
});

test('a sample that is not gone at every site has no time', () => {
  const custody = { zurich: [erased('old', 1_500, 'zrh-1')] };
  expect(() => consentTimes({ ...evidence, custody })({ ...consent, before: [] })).toThrow(
    'names each site',
  );
});
