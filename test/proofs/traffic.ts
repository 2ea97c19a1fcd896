import { randomUUID } from 'node:crypto';
import {
  SUBMITTED,
  TOPICS,
  consentCloudEvent,
  consentEntry,
  submissionEntry,
} from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { sha256 } from './on-disk.ts';
import type { IntakeRow } from './on-disk.ts';
import { SeededRandom } from './seeded-random.ts';
import { SALT } from '@residency/testkit';

/** What must become of one record, before anybody asks whether its identity is taken. */
export type Expectation =
  | {
      readonly kind: 'placeable';
      readonly identity: string;
      readonly region: string;
      readonly country: string;
      readonly sampleSha256: string;
      /**
       * The arbiter's object of the identity may not have been readable when it came: then a
       * duplicate ends as a conflict (docs/decisions/0016).
       */
      readonly unreadable?: boolean;
    }
  | { readonly kind: 'refused' | 'quarantined'; readonly reason: string };

export interface Planned {
  readonly entry: LogEntry;
  readonly expected: Expectation;
}

// By hand from GTI §1 to §6, not from the policy: the proof must not ask the code it judges.
export const REGION_BY_COUNTRY: Readonly<Record<string, string>> = {
  CH: 'zurich',
  DE: 'zurich',
  FR: 'zurich',
  GB: 'zurich',
  CY: 'zurich',
  XK: 'zurich',
  US: 'zurich',
  CA: 'zurich',
  JP: 'zurich',
  AU: 'zurich',
  IN: 'zurich',
  PK: 'zurich',
  BN: 'zurich',
  RU: 'moscow',
  BR: 'moscow',
  TR: 'moscow',
  CN: 'moscow',
  ZA: 'moscow',
  KE: 'moscow',
  MX: 'moscow',
  AE: 'moscow',
  TW: 'moscow',
};
export const SITES_BY_REGION: Readonly<Record<string, readonly string[]>> = {
  zurich: ['zrh-1', 'zrh-2'],
  moscow: ['mow-1'],
};

/** The consent under which its good submissions are sent. */
export const GIVEN = 'traffic-given-01';
const WITHDRAWN = 'traffic-withdrawn-02';
const OTHER_PURPOSE = 'traffic-purpose-03';
const SOURCE = 'urn:test:traffic';
// An attribute the contract names: unknown ones are not kept.
const INDEX = 'partitionkey';

/** The consents all traffic refers to; appended before the first submission. */
export function trafficConsents(): readonly LogEntry[] {
  const envelope = (): { id: string; source: string } => ({ id: randomUUID(), source: SOURCE });
  const grant = (consentId: string, purpose: string): LogEntry =>
    consentEntry(
      consentCloudEvent(
        { kind: 'granted', consentId, purposes: [purpose], termsVersion: '2021-07' },
        envelope(),
      ),
      SALT,
    );
  return [
    grant(GIVEN, 'threat-sample-sharing'),
    grant(WITHDRAWN, 'threat-sample-sharing'),
    grant(OTHER_PURPOSE, 'usage-statistics'),
    consentEntry(consentCloudEvent({ kind: 'withdrawn', consentId: WITHDRAWN }, envelope()), SALT),
  ];
}

/** The probabilities of what a submission is; the rest is new and good. */
export interface Shares {
  /** An earlier one again. */
  readonly again: number;
  /** An earlier identity with another sample. */
  readonly otherSample: number;
  /** An earlier one from another country. */
  readonly otherCountry: number;
  /** Refused or quarantined. */
  readonly bad: number;
}

const SHARES: Shares = { again: 0.08, otherSample: 0.06, otherCountry: 0.06, bad: 0.25 };

/**
 * Seeded submissions, good and bad, some of them again: the same seed is the same traffic in every
 * process.
 */
export class Traffic {
  readonly planned: readonly Planned[];

  /** `recent`: what comes again is one of so many good ones before it. */
  constructor(
    seed: number,
    count: number,
    largestBytes = 256 * 1024,
    recent = Infinity,
    shares = SHARES,
  ) {
    const random = new SeededRandom(seed);
    const planned: Planned[] = [];
    const earlier: Fields[] = [];
    for (let index = 0; index < count; index += 1) {
      const { fields, ...one } = next(
        random,
        index,
        earlier.length === 0 ? undefined : random.pick(earlier),
        largestBytes,
        shares,
      );
      planned.push(one);
      if (one.expected.kind === 'placeable') earlier.push(fields);
      if (earlier.length > recent) earlier.shift();
    }
    this.planned = planned;
  }

  entries(from = 0, to = this.planned.length): readonly LogEntry[] {
    return this.planned.slice(from, to).map(({ entry }) => entry);
  }

  indexOf(row: IntakeRow): number {
    return plannedIndex(this.planned, row);
  }

  expectation(row: IntakeRow): Expectation {
    return plannedExpectation(this.planned, row);
  }
}

/** Which of the plan a record on the log is; every planned record carries its number. */
export function plannedIndex(planned: readonly Planned[], { headers }: IntakeRow): number {
  const index = Number(headers.get(`ce_${INDEX}`)?.toString('utf8') ?? NaN);
  if (planned[index] === undefined) throw new RangeError('Expected a record of this traffic.');
  return index;
}

export function plannedExpectation(planned: readonly Planned[], row: IntakeRow): Expectation {
  const one = planned[plannedIndex(planned, row)];
  if (one === undefined) throw new RangeError('Expected a record of this traffic.');
  // What the log kept is what was sent: otherwise nothing below would mean anything.
  if (sha256(row.value ?? Buffer.alloc(0)) !== sha256(one.entry.record.value ?? Buffer.alloc(0)))
    throw new RangeError('Expected the log to hold the bytes that were sent.');
  return one.expected;
}

export interface Fields {
  readonly id: string;
  readonly country: string;
  readonly sample: Buffer;
}

function next(
  random: SeededRandom,
  index: number,
  earlier: Fields | undefined,
  largestBytes: number,
  { again, otherSample, otherCountry, bad: share }: Shares,
): Planned & { readonly fields: Fields } {
  // Mostly small, as files are: sizes even over the orders of magnitude.
  const bytes = Math.max(1, Math.floor(largestBytes ** random.next()));
  const fields: Fields = {
    id: `s-${index}`,
    country: random.pick(Object.keys(REGION_BY_COUNTRY)),
    sample: random.bytes(bytes),
  };
  const dice = random.next();
  if (earlier !== undefined && dice < again) return placeable(index, earlier);
  if (earlier !== undefined && dice < again + otherSample)
    return placeable(index, { ...earlier, sample: fields.sample });
  // The same identity from another country: another sample in the same region, lawful by itself in
  // another one.
  if (earlier !== undefined && dice < again + otherSample + otherCountry)
    return placeable(index, { ...earlier, country: fields.country });
  if (dice < 1 - share) return placeable(index, fields);
  return random.pick(BAD)(index, fields);
}

/** A record that is stored, unless its identity is taken. */
export function placeable(index: number, fields: Fields): Planned & { readonly fields: Fields } {
  const { id, country, sample } = fields;
  return {
    fields,
    entry: submission(index, fields),
    expected: {
      kind: 'placeable',
      identity: id,
      region: REGION_BY_COUNTRY[country] ?? '',
      country,
      sampleSha256: sha256(sample),
    },
  };
}

type Bad = (index: number, fields: Fields) => Planned & { readonly fields: Fields };

const bad =
  (
    kind: 'refused' | 'quarantined',
    reason: string,
    changed: (fields: Fields) => Partial<Sent>,
  ): Bad =>
  (index, fields) => ({
    fields,
    entry: submission(index, { ...fields, ...changed(fields) }),
    expected: { kind, reason },
  });

const BAD: readonly Bad[] = [
  bad('refused', 'CONSENT_UNKNOWN', () => ({ consent: 'traffic-never-given' })),
  bad('refused', 'CONSENT_WITHDRAWN', () => ({ consent: WITHDRAWN })),
  bad('refused', 'CONSENT_PURPOSE', () => ({ consent: OTHER_PURPOSE })),
  bad('quarantined', 'COUNTRY_UNKNOWN', () => ({ country: 'EU' })),
  bad('quarantined', 'COUNTRY_UNKNOWN', () => ({ country: 'Switzerland' })),
  bad('quarantined', 'DIGEST_MISMATCH', () => ({ attributes: { samplesha256: '0'.repeat(64) } })),
  bad('quarantined', 'EMPTY_SAMPLE', () => ({ sample: Buffer.alloc(0) })),
  bad('quarantined', 'CLASSIFICATION_UNKNOWN', () => ({
    attributes: { dataclassification: 'internal' },
  })),
  bad('quarantined', 'INVALID_ATTRIBUTE', () => ({ attributes: { verdict: 'harmless' } })),
  bad('quarantined', 'UNKNOWN_TYPE', () => ({ type: 'threat.sample.submitted.v9' })),
  (index, fields) => ({
    fields,
    expected: { kind: 'quarantined', reason: 'UNDECODABLE' },
    entry: {
      topic: TOPICS.samples,
      record: {
        key: null,
        headers: [[`ce_${INDEX}`, Buffer.from(String(index))]],
        value: fields.sample,
      },
    },
  }),
];

interface Sent extends Fields {
  readonly consent: string;
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

function submission(index: number, fields: Fields & Partial<Sent>): LogEntry {
  const { id, country, sample, consent = GIVEN, type = SUBMITTED, attributes = {} } = fields;
  return submissionEntry({
    specversion: '1.0',
    id,
    source: SOURCE,
    type,
    datacontenttype: 'application/octet-stream',
    data: sample,
    extensions: {
      usercountry: country,
      consentid: consent,
      verdict: 'suspicious',
      ...attributes,
      [INDEX]: String(index),
    },
  });
}
