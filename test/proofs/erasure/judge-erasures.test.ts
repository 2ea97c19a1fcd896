import { expect, test } from 'vitest';
import { sha256 } from '../on-disk.ts';
import type { ErasureEvidence, TopicEvent } from './erasure-evidence.ts';
import { submissionOf } from './erasure-traffic.ts';
import { judgeErasures, tombstone } from './judge-erasures.ts';

const SAMPLE = Buffer.from('a sample');
const ID = submissionOf('urn:test', 's');
const KEY = `samples/${ID.slice(0, 2)}/${ID.slice(2, 4)}/${ID}`;
const TOMBSTONE = sha256(Buffer.from(tombstone('order-1', ID)));
const SEALED = 'e'.repeat(64);
const OWNER = 'log/threat.samples/0/0';

interface Parts {
  /** Consents of the two records. */
  readonly consents?: readonly TopicEvent[];
  readonly control?: readonly TopicEvent[];
  /** The erased events' sites. */
  readonly erased?: readonly (readonly string[])[];
  readonly event?: Readonly<Record<string, unknown>>;
  readonly gap?: boolean;
  /** Digest by site. */
  readonly objects?: Readonly<Record<string, string>>;
  readonly setAside?: string;
  /** What became of the record that came after the erasure. */
  readonly again?: readonly [outcome: string, data: Readonly<Record<string, unknown>>];
  readonly outcomes?: number;
}

const ORDER = event('residency.erasure.ordered.v1', 20, { act: 'order-1', submissions: [ID] });
const REFUSED = [
  'refused',
  { reason: 'ERASED', erasure: { order: 'order-1', region: 'zurich' } },
] as const;

/** A sample of Zurich was stored, ordered and erased; then it came again. */
function evidence({
  consents = [event('consent.granted.v1', 1, { consentId: 'c' })],
  control = [ORDER],
  erased = [['zrh-1'], ['zrh-2']],
  event: more = {},
  gap = false,
  objects = { 'zrh-1': TOMBSTONE, 'zrh-2': TOMBSTONE },
  setAside = TOMBSTONE,
  again = REFUSED,
  outcomes = 1,
}: Parts = {}): ErasureEvidence {
  const stored = {
    submission: ID,
    consentId: 'c',
    country: 'CH',
    sampleSha256: sha256(SAMPLE),
    decision: { region: 'zurich' },
    placements: [{ site: 'zrh-1', sealedSha256: SEALED }],
  };
  const auditPartitions = [
    { offset: 0, at: 10, outcome: 'stored', data: { ...stored, previous: null } },
    ...Array.from({ length: outcomes }, () => ({
      offset: 1,
      at: 40,
      outcome: again[0],
      data: { ...again[1], previous: '0' },
    })),
  ].map((one) => ({
    partition: 0,
    appendedAt: one.at + 1,
    event: {
      ...one,
      id: `log/threat.samples/0/${one.offset}`,
      partition: 0,
      bytes: Buffer.alloc(0),
    },
  }));
  const custody: TopicEvent[] = [];
  for (const sites of erased) {
    const before = custody.at(-1);
    custody.push({
      ...event('residency.sample.erased.v1', 30, {
        of: OWNER,
        submission: ID,
        region: 'zurich',
        order: 'order-1',
        sites: sites.map((site) => ({ site, sha256: TOMBSTONE })),
        previous: before === undefined || gap ? null : sha256(before.bytes),
        ...more,
      }),
      sequence: String(custody.length),
    });
  }
  return {
    name: 'log',
    intake: [10, 40].map((at, offset) => ({
      partition: 0,
      offset,
      at,
      value: SAMPLE,
      headers: new Map(
        Object.entries({ id: 's', source: 'urn:test', usercountry: 'CH', consentid: 'c' }).map(
          ([name, value]) => [`ce_${name}`, Buffer.from(value)],
        ),
      ),
    })),
    auditPartitions,
    audit: auditPartitions.map((one) => one.event),
    settled: new Map([[0, 1]]),
    quarantined: again[0] === 'quarantined' ? ['log/threat.samples/0/1'] : [],
    versions: [],
    aborted: 0,
    leftBehind: [],
    objects: Object.entries(objects).map(([site, digest]) => ({
      site,
      submission: ID,
      path: KEY,
      lawfulPath: KEY,
      sha256: digest,
    })),
    setAside: [{ site: 'zrh-2', key: `damaged/${ID}/${'d'.repeat(64)}`, sha256: setAside }],
    consents,
    control,
    custody: { zurich: custody },
  };
}

function event(type: string, at: number, data: TopicEvent['data']): TopicEvent {
  return { type, at, data, bytes: Buffer.from(JSON.stringify({ type, at, data })) };
}

test('a sample that was erased at each site, and refused when it came again, is right', () => {
  const { faults, counts } = judgeErasures(evidence());
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ stored: 1, erased: 1, inParts: 1, refusedErased: 1, setAside: 1 });
});

test('the tombstone names the first order, by a consent or by its submission', () => {
  const byConsent = (act: string, before: number): TopicEvent =>
    event('residency.erasure.ordered.v1', 15, {
      act,
      consents: [{ consentId: 'c', before: new Date(before).toISOString() }],
    });
  expect(judgeErasures(evidence({ control: [byConsent('order-1', 11)] })).faults).toEqual([]);
  expect(judgeErasures(evidence({ control: [byConsent('order-2', 10), ORDER] })).faults).toEqual(
    [],
  );
  expect(
    judgeErasures(evidence({ control: [byConsent('order-2', 11), ORDER] })).faults,
  ).not.toEqual([]);
});

const HOLD = event('residency.hold.placed.v1', 19, { act: 'hold-1', consents: ['c'] });

test('what is on hold is as it was', () => {
  expect(
    judgeErasures(
      evidence({
        control: [HOLD, ORDER],
        erased: [],
        objects: { 'zrh-1': SEALED, 'zrh-2': SEALED },
        setAside: 'd'.repeat(64),
        again: ['duplicate', { of: OWNER }],
      }),
    ).faults,
  ).toEqual([]);
});

const lifted = (at: number): TopicEvent =>
  event('residency.hold.lifted.v1', at, { act: 'lift-1', hold: 'hold-1' });

test('once a hold is lifted, its samples are erased', () => {
  const { faults } = judgeErasures(evidence({ control: [HOLD, ORDER, lifted(25)] }));
  expect(faults).toEqual([]);
});

test.each<[string, Parts]>([
  ['nobody ordered it', { control: [] }],
  ['it is on hold', { control: [HOLD, ORDER] }],
  ['its hold was lifted later', { control: [HOLD, ORDER, lifted(31)] }],
  ['a site has no event', { erased: [['zrh-1']] }],
  ['a site has two events', { erased: [['zrh-1'], ['zrh-2', 'zrh-1']] }],
  ['the arbiter is not first', { erased: [['zrh-2', 'zrh-1']] }],
  ["a site is another region's", { erased: [['zrh-1', 'zrh-2', 'mow-1']] }],
  ['the event names another order', { event: { order: 'order-2' } }],
  ['the event names another region', { event: { region: 'moscow' } }],
  ['a repair put it again', { event: { repair: 'order-3' } }],
  ['the event is of nothing that is stored', { event: { of: 'log/threat.samples/0/9' } }],
  ['the chain has a gap', { gap: true }],
  ['a site has no object', { objects: { 'zrh-1': TOMBSTONE } }],
  ['a site has the ciphertext', { objects: { 'zrh-1': TOMBSTONE, 'zrh-2': SEALED } }],
  [
    'another region has an object',
    { objects: { 'zrh-1': TOMBSTONE, 'zrh-2': TOMBSTONE, 'mow-1': TOMBSTONE } },
  ],
  ['a set-aside object is there', { setAside: 'd'.repeat(64) }],
  ['it is stored again', { again: ['stored', { submission: ID, decision: { region: 'zurich' } }] }],
  ['it ends as a duplicate after its erasure', { again: ['duplicate', { of: OWNER }] }],
  [
    'it is refused by another order',
    { again: ['refused', { reason: 'ERASED', erasure: { order: 'order-2', region: 'zurich' } }] },
  ],
  ['a record has no outcome', { outcomes: 0 }],
  ['a record has two outcomes', { outcomes: 2 }],
  [
    'the consent was withdrawn',
    {
      consents: [
        event('consent.granted.v1', 1, { consentId: 'c' }),
        event('consent.withdrawn.v1', 40, { consentId: 'c' }),
      ],
    },
  ],
])('%s: a fault', (_, parts) => {
  expect(judgeErasures(evidence(parts)).faults).not.toEqual([]);
});
