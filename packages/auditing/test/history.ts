import {
  consentCloudEvent,
  consentEntry,
  encodeAuditEvent,
  decodeAuditEvent,
} from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import type { ConsentEvent } from '@residency/consent';
import type { PolicyDocument, PolicyPublished } from '@residency/residency';
import { SALT, RoutingWorld } from '@residency/testkit';
import { adjudicate } from '../src/adjudicating/adjudicate.ts';
import type { AdjudicateOptions, Adjudication } from '../src/adjudicating/adjudicate.ts';
import type { ConsentRecord } from '../src/adjudicating/consent-histories.ts';
import type { AuditRecord } from '../src/audit-record.ts';
import { MemoryScratch } from './memory-scratch.ts';

/** A past that a router decided: its events, and the logs they are to be judged by. */
export interface History {
  readonly events: readonly AuditEvent[];
  readonly policies: readonly PolicyPublished[];
  readonly consents: readonly ConsentRecord[];
  /** Absent: nobody gives it to be judged by. */
  readonly control?: readonly LogRecord[];
}

const SINCE_EVER = '0000-01-01T00:00:00.000Z';

/** `countries` by region; in force from `at`, milliseconds. */
export function document(
  version: number,
  at: number,
  countries: Readonly<Record<string, readonly string[]>>,
): PolicyDocument {
  const sites: Readonly<Record<string, readonly string[]>> = {
    zurich: ['zrh-1', 'zrh-2'],
    moscow: ['mow-1'],
  };
  return {
    id: 'test',
    version,
    effectiveFrom: new Date(at).toISOString(),
    regions: Object.entries(sites).map(([id, list]) => ({ id, sites: list })),
    rules: Object.entries(countries).map(([region, list]) => ({
      id: `${region}-${version}`,
      region,
      from: SINCE_EVER,
      countries: list,
      basis: 'named',
      confidence: 'stated',
      cites: ['test'],
    })),
  };
}

/** Four versions; Switzerland moves with each of them. */
export const EFFECTIVE = [10_000, 20_000, 30_000] as const;
const VERSIONS = [
  document(1, 0, { zurich: ['CH', 'DE'], moscow: ['BR'] }),
  document(2, EFFECTIVE[0], { zurich: ['DE'], moscow: ['BR', 'CH'] }),
  document(3, EFFECTIVE[1], { zurich: ['CH', 'DE', 'BR'] }),
  document(4, EFFECTIVE[2], { zurich: ['DE'], moscow: ['CH', 'BR'] }),
];

export const TERMS = (
  consentId: string,
  termsVersion: string,
  purposes: readonly string[] = ['threat-sample-sharing'],
): ConsentEvent => ({ kind: 'granted', consentId, purposes, termsVersion });
export const BACK_AND_FORTH = 'consent-back-and-forth';
export const STEADY = 'consent-steady';
const CONSENTS: readonly (readonly [at: number, event: ConsentEvent])[] = [
  [1, TERMS(STEADY, 'A')],
  [5_000, TERMS(BACK_AND_FORTH, 'A')],
  [9_000, { kind: 'withdrawn', consentId: BACK_AND_FORTH }],
  [12_000, TERMS(BACK_AND_FORTH, 'B')],
  [15_000, TERMS(BACK_AND_FORTH, 'C')],
  [18_000, TERMS(BACK_AND_FORTH, 'D', ['something-else'])],
  [19_000, { kind: 'withdrawn', consentId: BACK_AND_FORTH }],
  // Both in one millisecond, and once more when a version comes into force.
  [25_000, TERMS(BACK_AND_FORTH, 'E')],
  [25_000, { kind: 'withdrawn', consentId: BACK_AND_FORTH }],
  [EFFECTIVE[2], TERMS(BACK_AND_FORTH, 'F')],
];

/** Every instant at which something changes, the one before it and the one behind. */
export const BOUNDARIES = [
  ...new Set([...EFFECTIVE, ...CONSENTS.map(([at]) => at)].flatMap((at) => [at - 1, at, at + 1])),
].sort((a, b) => a - b);

export async function history(): Promise<History> {
  const world = new RoutingWorld();
  for (const version of VERSIONS)
    world.policy(version, version.version === 1 ? 0 : Date.parse(version.effectiveFrom) - 5_000);
  for (const [at, event] of CONSENTS) world.consent(at, event);
  for (const at of BOUNDARIES) submitAt(world, at);
  const { settlements } = await world.route();
  return {
    events: settlements.map(({ event }) => event),
    policies: world.policies,
    consents: CONSENTS.map(([at, event], index) => consentRecord(at, event, index)),
  };
}

function submitAt(world: RoutingWorld, at: number): void {
  for (const consent of [STEADY, BACK_AND_FORTH])
    for (const country of ['CH', 'DE', 'BR']) world.submit(at, { consent, country });
  world.submit(at, { id: `again-${at}`, consent: STEADY });
  world.submit(at, { id: `again-${at}`, consent: STEADY });
  world.submit(at, { id: `again-${at}`, consent: STEADY, sample: 'another' });
  world.submit(at, { consent: STEADY, country: 'ZZ' });
  world.submit(at, { consent: STEADY, attributes: { samplesha256: '0'.repeat(64) } });
  world.submit(at, { consent: 'consent-never-given' });
  world.submit(at, { consent: STEADY, sample: '' });
  world.raw(at, { headers: [], value: Buffer.from('nothing we know') });
}

export function consentRecord(at: number, event: ConsentEvent, index: number): ConsentRecord {
  const { record } = consentEntry(
    consentCloudEvent(event, { id: `event-${index}`, source: 'urn:test' }),
    SALT,
  );
  return { ...record, at };
}

export function recordsOf(events: readonly AuditEvent[]): AuditRecord[] {
  return events.map((event, index) => ({
    partition: 0,
    offset: BigInt(index),
    value: encodeAuditEvent(event),
  }));
}

export async function* streamed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export function adjudicated(
  { events, policies, consents, control }: History,
  options?: AdjudicateOptions,
): Promise<Adjudication> {
  return adjudicate(
    {
      records: () => streamed(recordsOf(events)),
      policies: async () => policies,
      consents: () => streamed(consents),
      ...(control === undefined ? {} : { control: () => streamed(control) }),
      scratch: { claims: new MemoryScratch(), consents: new MemoryScratch() },
    },
    options,
  );
}

/** The event with its bytes' text changed, as somebody who signs anew could; still an event. */
export function altered(event: AuditEvent, from: string | RegExp, to: string): AuditEvent {
  const text = encodeAuditEvent(event).toString();
  const changed = text.replace(from, to);
  if (changed === text) throw new Error('Expected the event to have what is to be altered.');
  return decodeAuditEvent(Buffer.from(changed));
}
