import { formatPosition, namedOwner } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { adjudicate } from '../src/adjudicating/adjudicate.ts';
import {
  BOUNDARIES,
  EFFECTIVE,
  STEADY,
  adjudicated,
  altered,
  history,
  recordsOf,
  streamed,
} from './history.ts';
import type { History } from './history.ts';
import { MemoryScratch } from './memory-scratch.ts';

let past: History;
beforeAll(async () => {
  past = await history();
});

/** The first event that fits, in its past with a change to it. */
function with1(
  fits: (event: AuditEvent) => boolean,
  change: (event: AuditEvent) => AuditEvent,
): { readonly position: string; readonly changed: History } {
  const event = past.events.find(fits);
  if (event === undefined) throw new Error('Expected the past to have such an event.');
  return {
    position: formatPosition(event.position),
    changed: { ...past, events: past.events.map((one) => (one === event ? change(one) : one)) },
  };
}

const storedInZurich = (event: AuditEvent): boolean =>
  event.outcome === 'stored' && event.data.decision.region === 'zurich';

const SECOND_PLACEMENT = /,\{"key":"[^}]*"site":"zrh-2"[^}]*\}/;

/** The event without its second placement, and with sites that owe a copy. */
function owing(event: AuditEvent, sites: string): AuditEvent {
  return altered(
    altered(event, SECOND_PLACEMENT, ''),
    '"placements":',
    `"owed":[${sites}],"placements":`,
  );
}

describe('a past of four policy versions and a consent given, withdrawn and given again, with records exactly on every boundary', () => {
  it('has every outcome and every version in it', () => {
    expect(new Set(past.events.map(({ outcome }) => outcome))).toEqual(
      new Set(['stored', 'duplicate', 'refused', 'quarantined']),
    );
    const versions = past.events.flatMap(({ data }) =>
      'decision' in data && data.decision !== undefined ? [data.decision.policy.version] : [],
    );
    expect(new Set(versions)).toEqual(new Set([1, 2, 3, 4]));
    const reasons = past.events.flatMap(({ data }) => ('reason' in data ? [data.reason] : []));
    expect(new Set(reasons)).toEqual(
      new Set([
        'CONSENT_UNKNOWN',
        'CONSENT_WITHDRAWN',
        'CONSENT_PURPOSE',
        'COUNTRY_UNKNOWN',
        'DIGEST_MISMATCH',
        'IDENTITY_CONFLICT',
        'EMPTY_SAMPLE',
        'UNDECODABLE',
      ]),
    );
    expect(BOUNDARIES).toEqual(expect.arrayContaining([...EFFECTIVE]));
  });

  it('is decided again without a difference', async () => {
    const {
      differences,
      events,
      notRedecidable,
      consentsDecided,
      regionsDecided,
      conflictsCompared,
    } = await adjudicated(past);
    expect(differences).toEqual({ total: 0, list: [], byCode: {} });
    expect(events).toBe(past.events.length);
    // An empty sample and a record that is no event, at each boundary: their reasons come before
    // consent.
    expect(notRedecidable).toEqual({
      total: 2 * BOUNDARIES.length,
      byReason: { EMPTY_SAMPLE: BOUNDARIES.length, UNDECODABLE: BOUNDARIES.length },
    });
    expect(consentsDecided).toBe(past.events.length - 2 * BOUNDARIES.length);
    const decided = past.events.filter(
      ({ data }) => 'decision' in data && data.decision !== undefined,
    );
    expect(regionsDecided).toBe(decided.length);
    // The third record of one identity at each boundary.
    expect(conflictsCompared).toBe(BOUNDARIES.length - 1);
  });

  it('is decided again within a period alone', async () => {
    const { events } = await adjudicated(past, { from: 12_000, to: 20_000 });
    expect(events).toBe(past.events.filter(({ at }) => at >= 12_000 && at < 20_000).length);
  });
});

it('a copy that a site of the region owes is as good as a placement', async () => {
  const { changed } = with1(storedInZurich, (event) => owing(event, '"zrh-2"'));
  expect((await adjudicated(changed)).differences.list).toEqual([]);
});

describe('what a dishonest operator alters and signs anew is found by position', () => {
  it.each([
    [
      'an event altered to another region',
      storedInZurich,
      (event: AuditEvent) => altered(event, '"region":"zurich"', '"region":"moscow"'),
      'DECISION_DIFFERS',
    ],
    [
      'to another region with its rule and its sites',
      storedInZurich,
      (event: AuditEvent) =>
        altered(
          altered(
            altered(event, '"region":"zurich"', '"region":"moscow"'),
            /zurich-(\d)"/g,
            'moscow-$1"',
          ),
          'zrh-',
          'mow-',
        ),
      'DECISION_DIFFERS',
    ],
    [
      'to another policy version',
      storedInZurich,
      (event: AuditEvent) => altered(event, '"version":1', '"version":2'),
      'DECISION_DIFFERS',
    ],
    [
      'to another country',
      storedInZurich,
      (event: AuditEvent) => altered(event, '"country":"CH"', '"country":"BR"'),
      'DECISION_DIFFERS',
    ],
    [
      'to a country that no rule places',
      storedInZurich,
      (event: AuditEvent) => altered(event, '"country":"CH"', '"country":"ZZ"'),
      'DECISION_DIFFERS',
    ],
    [
      'to one site less',
      storedInZurich,
      (event: AuditEvent) => altered(event, SECOND_PLACEMENT, ''),
      'PLACES_DIFFER',
    ],
    [
      'to a copy that a site of another region owes',
      storedInZurich,
      (event: AuditEvent) => owing(event, '"mow-1"'),
      'PLACES_DIFFER',
    ],
    [
      'to a copy that is owed beside its placement',
      storedInZurich,
      (event: AuditEvent) => altered(event, '"placements":', '"owed":["zrh-2"],"placements":'),
      'PLACES_DIFFER',
    ],
    [
      'to other terms',
      storedInZurich,
      (event: AuditEvent) => altered(event, '"termsVersion":"A"', '"termsVersion":"B"'),
      'TERMS_DIFFER',
    ],
    [
      'to a consent never given',
      storedInZurich,
      (event: AuditEvent) => altered(event, STEADY, 'consent-never-given'),
      'CONSENT_DIFFERS',
    ],
    [
      'a refusal to another reason',
      ({ outcome }: AuditEvent) => outcome === 'refused',
      (event: AuditEvent) =>
        altered(event, '"reason":"CONSENT_UNKNOWN"', '"reason":"CONSENT_WITHDRAWN"'),
      'REASON_DIFFERS',
    ],
    [
      'a refusal of a consent that was given',
      ({ at, outcome, data }: AuditEvent) =>
        at > 1 && outcome === 'refused' && data.consentId === 'consent-never-given',
      (event: AuditEvent) => altered(event, 'consent-never-given', STEADY),
      'CONSENT_DIFFERS',
    ],
    [
      'a quarantine after the country, to another region',
      ({ data }: AuditEvent) => 'reason' in data && data.reason === 'DIGEST_MISMATCH',
      (event: AuditEvent) => altered(event, '"region":"zurich"', '"region":"moscow"'),
      'DECISION_DIFFERS',
    ],
    [
      'a quarantine after the country, without its decision',
      ({ data }: AuditEvent) => 'reason' in data && data.reason === 'DIGEST_MISMATCH',
      (event: AuditEvent) => altered(event, /"decision":\{[^}]*\}[^}]*\},/, ''),
      'EVENT_INCOMPLETE',
    ],
    [
      'the T of a record',
      (event: AuditEvent) =>
        storedInZurich(event) &&
        event.at === EFFECTIVE[0] - 1 &&
        'country' in event.data &&
        event.data.country === 'CH',
      (event: AuditEvent) => ({ ...event, at: EFFECTIVE[0] }),
      'DECISION_DIFFERS',
    ],
  ] as const)('%s', async (_, fits, change, code) => {
    const { position, changed } = with1(fits, change);
    const { differences } = await adjudicated(changed);
    expect(differences.list.map((difference) => [difference.code, difference.position])).toEqual([
      [code, position],
    ]);
    expect(differences.total).toBe(1);
  });
});

describe('a conflict', () => {
  const isConflict = ({ data }: AuditEvent): boolean =>
    'reason' in data && data.reason === 'IDENTITY_CONFLICT';
  const another = (): AuditEvent => {
    const [first] = past.events;
    if (first === undefined) throw new Error('Expected the past to have an event.');
    return first;
  };
  const conflict = (): AuditEvent => {
    const found = past.events.find(isConflict);
    if (found === undefined) throw new Error('Expected the past to have a conflict.');
    return found;
  };
  const ownerOf = (event: AuditEvent): AuditEvent => {
    const of = namedOwner(event)?.of;
    const found = past.events.find(({ position }) => formatPosition(position) === of);
    if (found === undefined) throw new Error('Expected the owner to have an event.');
    return found;
  };
  const changedTo = (from: AuditEvent, to: AuditEvent | undefined): History => ({
    ...past,
    events: past.events.flatMap((one) => (one !== from ? [one] : to === undefined ? [] : [to])),
  });
  const ownDigest = (): string => {
    const { data } = conflict();
    return 'sampleSha256' in data ? (data.sampleSha256 ?? '') : '';
  };

  it.each<[string, () => History, string]>([
    [
      'another digest of the owner',
      () =>
        changedTo(
          conflict(),
          altered(
            conflict(),
            /("owner":\{[^}]*"sampleSha256":")[0-9a-f]{64}/,
            `$1${'0'.repeat(64)}`,
          ),
        ),
      'OWNER_DIFFERS',
    ],
    [
      'another country of the owner',
      () => changedTo(conflict(), altered(conflict(), /("owner":\{"country":")CH/, '$1DE')),
      'OWNER_DIFFERS',
    ],
    [
      'itself as the owner',
      () => changedTo(conflict(), renamed(conflict(), formatPosition(conflict().position))),
      'OWNER_DIFFERS',
    ],
    [
      'a record of another submission as the owner',
      () => changedTo(conflict(), renamed(conflict(), formatPosition(another().position))),
      'OWNER_DIFFERS',
    ],
    [
      'an owner that has what it has',
      () =>
        changedTo(
          conflict(),
          altered(conflict(), /("owner":\{[^}]*"sampleSha256":")[0-9a-f]{64}/, `$1${ownDigest()}`),
        ),
      'OWNER_DIFFERS',
    ],
  ])('with %s is found by position', async (_, change, code) => {
    const { differences } = await adjudicated(change());
    expect(differences.list.map((difference) => [difference.code, difference.position])).toEqual([
      [code, formatPosition(conflict().position)],
    ]);
  });

  it('is found if the stored record to which its owner leads has its sample', async () => {
    const owner = ownerOf(conflict());
    if (owner.outcome !== 'stored') throw new Error('Expected a stored owner.');
    // Somebody makes the duplicate the stored record, with the conflict's sample.
    const again = past.events.find(
      ({ outcome, data }) => outcome === 'duplicate' && data.of === formatPosition(owner.position),
    );
    if (again === undefined) throw new Error('Expected a duplicate.');
    const { placements: _placements, ...judged } = owner.data;
    const events = past.events.map((one): AuditEvent =>
      one === owner
        ? {
            ...owner,
            outcome: 'duplicate',
            data: { ...judged, of: formatPosition(again.position) },
          }
        : one === again
          ? { ...again, outcome: 'stored', data: { ...owner.data, sampleSha256: ownDigest() } }
          : one,
    );
    const { differences } = await adjudicated({ ...past, events });
    expect(differences.list.map(({ code }) => code)).toEqual(['CONFLICT_WITH_EQUAL']);
  });

  it('whose owner has no event is not compared, and nothing is wrong with it', async () => {
    const all = await adjudicated(past);
    const { differences, conflictsCompared } = await adjudicated(
      changedTo(ownerOf(conflict()), undefined),
    );
    expect(differences.total).toBe(0);
    expect(conflictsCompared).toBe(all.conflictsCompared - 1);
  });

  const renamed = (event: AuditEvent, of: string): AuditEvent =>
    altered(event, /"of":"[^"]*"/, `"of":"${of}"`);
});

it('names a record that is no event by its place in the audit log', async () => {
  const records = [
    ...recordsOf(past.events.slice(0, 3)),
    { partition: 2, offset: 9n, value: Buffer.from('{}') },
    { partition: 2, offset: 10n, value: null },
  ];
  const { differences } = await adjudicate({
    records: () => streamed(records),
    policies: async () => past.policies,
    consents: () => streamed(past.consents),
    scratch: { claims: new MemoryScratch(), consents: new MemoryScratch() },
  });
  expect(differences.list.map(({ code, position }) => [code, position])).toEqual([
    ['EVENT_INVALID', 'residency.audit/2/9'],
    ['EVENT_INVALID', 'residency.audit/2/10'],
  ]);
});

it('judges by versions that were published while it read, and by no consent view but the log', async () => {
  let asked = 0;
  const deps = {
    records: () => streamed(recordsOf(past.events)),
    policies: async () => ((asked += 1) === 1 ? past.policies.slice(0, 3) : past.policies),
    consents: () => streamed(past.consents),
    scratch: { claims: new MemoryScratch(), consents: new MemoryScratch() },
  };
  expect((await adjudicate(deps)).differences.total).toBe(0);
  const without = {
    ...deps,
    consents: () => streamed(past.consents.slice(1)),
    scratch: { claims: new MemoryScratch(), consents: new MemoryScratch() },
  };
  const { differences } = await adjudicate(without, { maxListed: 5 });
  expect(differences.list).toHaveLength(5);
  expect(differences.total).toBe(
    past.events.filter(
      ({ data }) => 'consentId' in data && data.consentId === STEADY && 'termsVersion' in data,
    ).length,
  );
});

it('lists differences in the order of positions', async () => {
  const { differences } = await adjudicated({ ...past, policies: [] });
  const offsets = differences.list.map(({ position }) => Number(position.split('/').at(-1)));
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  expect(differences.byCode).toEqual({ NO_POLICY: differences.total });
});
