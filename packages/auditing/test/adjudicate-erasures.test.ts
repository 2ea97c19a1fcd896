import {
  ERASURE_ORDERED,
  TOPICS,
  controlEntry,
  formatPosition,
  tombstoneOf,
} from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import { RoutingWorld, SALT } from '@residency/testkit';
import { beforeAll, expect, it } from 'vitest';
import { STEADY, TERMS, adjudicated, altered, consentRecord, document } from './history.ts';
import type { History } from './history.ts';

const ORDER = '0190a1b2-c3d4-4e5f-8a9b-000000000001';
const OTHER_ORDER = '0190a1b2-c3d4-4e5f-8a9b-000000000002';
const OTHER_CONSENT = 'consent-another';
const BEFORE = new Date(5_000).toISOString();

let past: History;
let stored: AuditEvent;
let refused: AuditEvent;

/** A sample is stored and erased, and comes again under another consent, as another country's. */
beforeAll(async () => {
  const consents = [TERMS(STEADY, 'A'), TERMS(OTHER_CONSENT, 'B')];
  const world = new RoutingWorld().policy(document(1, 0, { zurich: ['CH', 'DE'], moscow: ['BR'] }));
  for (const consent of consents) world.consent(1, consent);
  world
    .submit(1_000, { id: 'x', consent: STEADY })
    .submit(9_000, { id: 'x', consent: OTHER_CONSENT, country: 'DE' })
    .submit(9_000, { id: 'y', consent: OTHER_CONSENT });
  const first = world.settle(await world.route({}, { records: world.records.slice(0, 1) }));
  const [event] = first.settlements;
  if (event?.event.outcome !== 'stored') throw new Error('Expected a stored event.');
  const { key, bytes, metadata } = tombstoneOf(event.event, ORDER);
  for (const site of ['zrh-1', 'zrh-2'])
    world.memorySite(site).objects.set(key, { metadata, sealed: bytes });
  await world
    .route({}, { records: world.records.slice(1), previous: 0n })
    .then((result) => world.settle(result));
  const events = [...world.events.values()];
  const [, second] = events;
  if (second?.outcome !== 'refused') throw new Error('Expected a refused event.');
  [stored, refused] = [event.event, second];
  past = {
    events,
    policies: world.policies,
    consents: consents.map((consent, index) => consentRecord(1, consent, index)),
  };
});

const submission = (): string => stored.data.submission ?? '';

type Ordered = Extract<
  Parameters<typeof controlEntry>[0],
  { readonly type: typeof ERASURE_ORDERED }
>['data'];

function ordered(named: Partial<Ordered>, act = ORDER): LogRecord {
  const data: Ordered = { act, reason: 'withdrawn', ...named };
  const { record } = controlEntry({ type: ERASURE_ORDERED, data }, `event-${act}`, SALT);
  return { ...record, topic: TOPICS.control, partition: 0, offset: 0n, at: 6_000 };
}

const byConsent = (consentId: string, before = BEFORE): LogRecord =>
  ordered({ consents: [{ consentId, before }] });

const changedTo = (event: AuditEvent): History => ({
  ...past,
  events: past.events.map((one) => (one === refused ? event : one)),
});

it('a record refused as erased follows from its consent, its region and an order', async () => {
  for (const control of [[ordered({ submissions: [submission()] })], [byConsent(STEADY)]]) {
    const { differences, erasures, consentsDecided } = await adjudicated({ ...past, control });
    expect(differences.list).toEqual([]);
    expect(erasures).toEqual({ total: 1, compared: 1 });
    expect(consentsDecided).toBe(3);
  }
});

it('is believed without the control log, and counted as not compared', async () => {
  const { differences, erasures } = await adjudicated(past);
  expect(differences.total).toBe(0);
  expect(erasures).toEqual({ total: 1, compared: 0 });
});

it('is not compared with an order about a consent if the stored event is before the period', async () => {
  const period = { from: 8_000 };
  const control = [byConsent(STEADY)];
  const { differences, erasures } = await adjudicated(
    { ...past, events: past.events.slice(1), control },
    period,
  );
  expect(differences.total).toBe(0);
  expect(erasures).toEqual({ total: 1, compared: 0 });
  const named = [ordered({ submissions: [submission()] })];
  const known = await adjudicated(
    { ...past, events: past.events.slice(1), control: named },
    period,
  );
  expect(known.erasures).toEqual({ total: 1, compared: 1 });
});

it.each<[string, () => History, string]>([
  ['no order', () => ({ ...past, control: [] }), 'ERASURE_DIFFERS'],
  [
    'an order of another act',
    () => ({ ...past, control: [ordered({ submissions: [submission()] }, OTHER_ORDER)] }),
    'ERASURE_DIFFERS',
  ],
  [
    'an order about another submission',
    () => ({ ...past, control: [ordered({ submissions: ['0'.repeat(64)] })] }),
    'ERASURE_DIFFERS',
  ],
  [
    "an order about the refused record's own consent",
    () => ({ ...past, control: [byConsent(OTHER_CONSENT, new Date(99_000).toISOString())] }),
    'ERASURE_DIFFERS',
  ],
  [
    'an order for another region, by submission',
    () => ({
      ...past,
      control: [ordered({ region: 'moscow', submissions: [submission()] })],
    }),
    'ERASURE_DIFFERS',
  ],
  [
    'an order for another region, by consent',
    () => ({
      ...past,
      control: [ordered({ region: 'moscow', consents: [{ consentId: STEADY, before: BEFORE }] })],
    }),
    'ERASURE_DIFFERS',
  ],
  [
    'an order about records before the stored one',
    () => ({ ...past, control: [byConsent(STEADY, new Date(1_000).toISOString())] }),
    'ERASURE_DIFFERS',
  ],
  [
    'a sample that was never stored',
    () => ({
      ...past,
      events: past.events.slice(1),
      control: [ordered({ submissions: [submission()] })],
    }),
    'ERASURE_DIFFERS',
  ],
  [
    'a region in which nothing of it was stored',
    () => ({
      ...changedTo(altered(refused, '"region":"zurich"', '"region":"moscow"')),
      control: [ordered({ submissions: [submission()] })],
    }),
    'ERASURE_DIFFERS',
  ],
  [
    'a region that the policy does not name',
    () => changedTo(altered(refused, '"region":"zurich"', '"region":"lisbon"')),
    'ERASURE_DIFFERS',
  ],
  [
    'a consent that was never given',
    () => changedTo(altered(refused, OTHER_CONSENT, 'consent-unknown')),
    'CONSENT_DIFFERS',
  ],
  ['no policy in force', () => ({ ...past, policies: [] }), 'ERASURE_DIFFERS'],
])('with %s it is found by position', async (_, change, code) => {
  const { differences } = await adjudicated(change());
  expect(
    differences.list
      .filter(({ position }) => position === formatPosition(refused.position))
      .map((difference) => difference.code),
  ).toEqual([code]);
});
