import { topicFaults } from '../cluster/cluster-verdict.ts';
import { custodyChainFaults } from '../custody-chain.ts';
import { judgeLog } from '../judgement.ts';
import { sha256 } from '../on-disk.ts';
import type { IntakeRow } from '../on-disk.ts';
import { REGION_BY_COUNTRY, SITES_BY_REGION } from '../traffic.ts';
import type { ErasureEvidence, Orders, TopicEvent } from './erasure-evidence.ts';
import { submissionOf } from './erasure-traffic.ts';

// Uses no code of the product: topics and files, and the rules of docs/formats and of decision 0049.

type AuditEvent = ErasureEvidence['audit'][number];

/** A stored sample, with what orders and custodians said of it. */
export interface Sample {
  readonly event: AuditEvent;
  readonly submission: string;
  readonly region: string;
  readonly sites: readonly string[];
  /** The first order on the log that names it. */
  readonly order?: { readonly act: string; readonly at: number };
  /** It is on hold for good, or until then. */
  readonly heldUntil: number;
  /** Its erased events, in order. */
  readonly erased: readonly TopicEvent[];
}

export interface ErasureCounts {
  readonly records: number;
  readonly stored: number;
  /** Samples that were to be erased. */
  readonly erased: number;
  /** Of these, samples with more than one event: a site was away. */
  readonly inParts: number;
  /** Samples that an order names and a hold keeps. */
  readonly held: number;
  readonly refusedErased: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly refusedForConsent: number;
  /** Of the records, those that were redriven. */
  readonly redriven: number;
  /** Set-aside objects with a tombstone. */
  readonly setAside: number;
}

/** The stored samples of a deployment. */
export function samplesOf(evidence: Orders): readonly Sample[] {
  const orders = firstOfEachAct(evidence.control, 'residency.erasure.ordered.v1');
  const holds = firstOfEachAct(evidence.control, 'residency.hold.placed.v1');
  const lifted = new Map(
    evidence.control
      .filter(({ type }) => type === 'residency.hold.lifted.v1')
      .toReversed()
      .map(({ at, data }) => [data['hold'], at]),
  );
  const erased = Map.groupBy(
    Object.values(evidence.custody)
      .flat()
      .filter(({ type }) => type === 'residency.sample.erased.v1'),
    ({ data }) => data['of'],
  );
  return evidence.auditPartitions
    .filter(({ event }) => event.outcome === 'stored')
    .map(({ event }) => {
      const submission = String(event.data.submission);
      const consent = String(event.data['consentId']);
      const { region } = event.data['decision'] as { readonly region: string };
      const order = orders.find(
        ({ data }) =>
          ((data['submissions'] ?? []) as readonly string[]).includes(submission) ||
          ((data['consents'] ?? []) as readonly { consentId: string; before: string }[]).some(
            (one) => one.consentId === consent && event.at < Date.parse(one.before),
          ),
      );
      const heldUntil = holds
        .filter(
          ({ data }) =>
            ((data['submissions'] ?? []) as readonly string[]).includes(submission) ||
            ((data['consents'] ?? []) as readonly string[]).includes(consent),
        )
        .map(({ data }) => lifted.get(data['act']) ?? Infinity);
      return {
        event,
        submission,
        region,
        sites: SITES_BY_REGION[region] ?? [],
        ...(order === undefined ? {} : { order: { act: String(order.data['act']), at: order.at } }),
        heldUntil: Math.max(-Infinity, ...heldUntil),
        erased: erased.get(event.id) ?? [],
      };
    });
}

export function mustBeErased({ order, heldUntil }: Sample): boolean {
  return order !== undefined && heldUntil < Infinity;
}

/** Samples that are to be erased, and sites of theirs that no event names yet. */
export function unerased(samples: readonly Sample[]): readonly string[] {
  return samples.filter(mustBeErased).flatMap(({ event, sites, erased }) => {
    const done = erased.flatMap(({ data }) => sitesOf(data));
    return sites
      .filter((site) => !done.some((one) => one.site === site))
      .map((site) => `${event.id} at ${site}`);
  });
}

export function judgeErasures(evidence: ErasureEvidence): {
  readonly counts: ErasureCounts;
  readonly faults: readonly string[];
} {
  const samples = samplesOf(evidence);
  const log: { lost: string[]; other: string[] } = { lost: [], other: [] };
  judgeLog(evidence, log);
  const outcomes = outcomeFaults(evidence, samples);
  const count = (outcome: string, reason?: string): number =>
    evidence.audit.filter((one) => one.outcome === outcome && one.data.reason === reason).length;
  const gone = samples.filter(mustBeErased);
  const erasedIds = new Set(gone.map(({ submission, region }) => `${region} ${submission}`));
  return {
    faults: [
      ...log.lost,
      ...log.other,
      ...topicFaults(evidence),
      ...evidence.leftBehind.map((path) => `left behind: ${path}`),
      ...outcomes,
      ...samples.flatMap(sampleFaults),
      ...objectFaults(evidence, samples),
      ...Object.values(evidence.custody).flatMap(custodyChainFaults),
      ...strayEvents(evidence, samples),
    ],
    counts: {
      records: evidence.intake.length,
      stored: samples.length,
      erased: gone.length,
      inParts: gone.filter(({ erased }) => erased.length > 1).length,
      held: samples.filter(({ order, heldUntil }) => order !== undefined && heldUntil === Infinity)
        .length,
      refusedErased: count('refused', 'ERASED'),
      duplicates: count('duplicate'),
      conflicts: count('quarantined', 'IDENTITY_CONFLICT'),
      refusedForConsent: count('refused', 'CONSENT_WITHDRAWN'),
      redriven: evidence.intake.filter(({ headers }) => headers.has('residency-redrive-of')).length,
      setAside: evidence.setAside.filter(({ site, key }) =>
        erasedIds.has(`${regionOf(site)} ${key.split('/')[1]}`),
      ).length,
    },
  };
}

/** The bytes of a tombstone: canonical JSON and a newline. */
export function tombstone(act: string, submission: string): string {
  return `{"erased":${JSON.stringify(act)},"submission":"${submission}"}\n`;
}

/** Each record has one outcome, and the right one. */
function outcomeFaults(evidence: ErasureEvidence, samples: readonly Sample[]): readonly string[] {
  const owners = Map.groupBy(samples, ({ region, submission }) => `${region} ${submission}`);
  const appended = new Map(
    evidence.auditPartitions.map(({ event, appendedAt }) => [event.id, appendedAt]),
  );
  const events = Map.groupBy(evidence.audit, ({ id }) => id);
  const positions = new Set<string>();
  const faults: string[] = [];
  for (const row of evidence.intake) {
    const id = `${evidence.name}/threat.samples/${row.partition}/${row.offset}`;
    positions.add(id);
    const [event, ...more] = events.get(id) ?? [];
    if (event === undefined || more.length > 0) {
      faults.push(`${id} has ${event === undefined ? 0 : more.length + 1} outcomes`);
      continue;
    }
    const found = said(event);
    const lawful = lawfulOutcomes(row, id, evidence, owners, appended.get(id) ?? NaN);
    if (!lawful.includes(found))
      faults.push(`${id}: expected ${lawful.join(' or ')}, found ${found}`);
  }
  return [
    ...faults,
    ...evidence.audit
      .filter(({ id }) => !positions.has(id))
      .map(({ id }) => `${id} has an outcome and no record`),
    ...[...owners]
      .filter(([, some]) => some.length > 1)
      .map(([identity, some]) => `${identity} is stored ${some.length} times`),
  ];
}

function lawfulOutcomes(
  row: IntakeRow,
  id: string,
  { consents }: ErasureEvidence,
  owners: ReadonlyMap<string, readonly Sample[]>,
  settledAt: number,
): readonly string[] {
  const header = (name: string): string => row.headers.get(`ce_${name}`)?.toString('utf8') ?? '';
  const refusal = refusalOf(consents, header('consentid'), row.at);
  if (refusal !== undefined) return [`refused ${refusal}`];
  const region = REGION_BY_COUNTRY[header('usercountry')] ?? '';
  const [owner] = owners.get(`${region} ${submissionOf(header('source'), header('id'))}`) ?? [];
  // The first of an identity is stored; an identity stays in its partition.
  if (owner === undefined || owner.event.id === id || row.offset < owner.event.offset)
    return [`stored ${region}`];
  const { data } = owner.event;
  const isSame =
    data['sampleSha256'] === sha256(row.value ?? Buffer.alloc(0)) &&
    data['country'] === header('usercountry');
  const before = isSame ? `duplicate of ${owner.event.id}` : 'quarantined IDENTITY_CONFLICT';
  const { order } = owner;
  const after = order === undefined ? before : `refused ERASED ${order.act} ${region}`;
  const [first] = owner.erased;
  if (first !== undefined && row.at > first.at) return [after];
  // A tombstone stands before its event, and after its order.
  return order !== undefined && mustBeErased(owner) && settledAt >= order.at
    ? [before, after]
    : [before];
}

function said({ outcome, data }: AuditEvent): string {
  if (outcome === 'stored')
    return `stored ${(data['decision'] as { readonly region: string }).region}`;
  if (outcome === 'duplicate') return `duplicate of ${String(data.of)}`;
  const { order, region } = (data['erasure'] ?? {}) as { order?: string; region?: string };
  return [outcome, data.reason, order, region].filter((part) => part !== undefined).join(' ');
}

/** Consent is in force in `[granted, withdrawn)`. */
function refusalOf(
  consents: readonly TopicEvent[],
  consentId: string,
  at: number,
): string | undefined {
  const last = consents.findLast(
    (event) => event.data['consentId'] === consentId && event.at <= at,
  );
  if (last === undefined) return 'CONSENT_UNKNOWN';
  return last.type === 'consent.withdrawn.v1' ? 'CONSENT_WITHDRAWN' : undefined;
}

/** Whether the events of a sample are those that orders and holds ask for. */
function sampleFaults(sample: Sample): readonly string[] {
  const { event, submission, region, sites, order, heldUntil, erased } = sample;
  const { id } = event;
  if (order === undefined || heldUntil === Infinity)
    return erased.length === 0 ? [] : [`${id} was erased, and must not be`];
  const named = erased.flatMap(({ data }) => sitesOf(data));
  return [
    ...sites
      .map((site) => [site, named.filter((one) => one.site === site).length] as const)
      .filter(([, times]) => times !== 1)
      .map(([site, times]) => `${id}: ${times} erased events name ${site}, expected 1`),
    ...named
      .filter(({ site }) => !sites.includes(site))
      .map(({ site }) => `${id}: erased at ${site}, which is not of its region`),
    ...named
      .filter((one) => one.sha256 !== sha256(Buffer.from(tombstone(order.act, submission))))
      .map(({ site }) => `${id}: the event names another tombstone at ${site}`),
    ...(erased[0] === undefined || sitesOf(erased[0].data)[0]?.site === sites[0]
      ? []
      : [`${id}: the first event does not begin with the arbiter`]),
    ...erased.flatMap(({ at, data }) => [
      ...(data['order'] === order.act ? [] : [`${id}: erased by another order than the first`]),
      ...(data['submission'] === submission && data['region'] === region
        ? []
        : [`${id}: the erased event is of another sample`]),
      ...(data['repair'] === undefined ? [] : [`${id}: erased again by a repair`]),
      ...(at >= order.at && at >= heldUntil ? [] : [`${id}: erased before it might be`]),
    ]),
  ];
}

export interface ErasedSite {
  readonly site: string;
  readonly sha256: string;
}

/** The sites that an erased event names. */
export function sitesOf(data: TopicEvent['data']): readonly ErasedSite[] {
  return (data['sites'] ?? []) as readonly ErasedSite[];
}

interface Placement {
  readonly site: string;
  readonly sealedSha256: string;
}

/** Each site has what it must have, and nothing else. */
function objectFaults(evidence: ErasureEvidence, samples: readonly Sample[]): readonly string[] {
  const { objects, setAside, custody } = evidence;
  const found = new Map(objects.map((object) => [`${object.site}/${object.submission}`, object]));
  const wanted = new Set<string>();
  const faults: string[] = [];
  // No file may have these bytes.
  const forbidden = new Set<string>();
  for (const sample of samples) {
    const { event, submission, sites, order } = sample;
    const placements = (event.data['placements'] ?? []) as readonly Placement[];
    const isErased = mustBeErased(sample);
    if (isErased) for (const { sealedSha256 } of placements) forbidden.add(sealedSha256);
    for (const site of sites) {
      wanted.add(`${site}/${submission}`);
      const must = isErased
        ? [sha256(Buffer.from(tombstone(order?.act ?? '', submission)))]
        : [placements.find((one) => one.site === site), placements[0]].map(
            (one) => one?.sealedSha256 ?? '',
          );
      const object = found.get(`${site}/${submission}`);
      if (object === undefined) faults.push(`${event.id} has no object at ${site}`);
      else if (!must.includes(object.sha256))
        faults.push(
          `${event.id}: ${site} has ${isErased ? 'no tombstone' : 'other bytes than the event says'}`,
        );
    }
  }
  const erased = new Map(
    samples
      .filter(mustBeErased)
      .map(({ region, submission, order }) => [`${region} ${submission}`, order?.act ?? '']),
  );
  const copies = Object.values(custody)
    .flat()
    .filter(({ type }) => type === 'residency.sample.copied.v1');
  const gone = new Set(samples.filter(mustBeErased).map(({ event }) => event.id));
  for (const { data } of copies)
    if (gone.has(String(data['of'])))
      forbidden.add((data['copy'] as { readonly sealedSha256: string }).sealedSha256);
  for (const { site, submission, path, lawfulPath, sha256: digest } of objects) {
    if (path !== lawfulPath) faults.push(`${site}/${submission} stands under ${path}`);
    if (!wanted.has(`${site}/${submission}`))
      faults.push(`${site} has ${submission}, which is not stored there`);
    if (forbidden.has(digest)) faults.push(`${site} has an erased ciphertext under ${path}`);
  }
  for (const { site, key, sha256: digest } of setAside) {
    const [, submission = '', name = ''] = key.split('/');
    const act = erased.get(`${regionOf(site)} ${submission}`);
    const must = act === undefined ? name : sha256(Buffer.from(tombstone(act, submission)));
    if (digest !== must) faults.push(`${site} has other bytes under ${key} than it must`);
    if (forbidden.has(digest)) faults.push(`${site} has an erased ciphertext under ${key}`);
  }
  return faults;
}

/** Erased events of nothing that is stored; copies that an event made after an erasure. */
function strayEvents({ custody }: ErasureEvidence, samples: readonly Sample[]): readonly string[] {
  const stored = new Set(samples.map(({ event }) => event.id));
  return Object.values(custody).flatMap((events) => {
    const erased = new Set<unknown>();
    return events.flatMap(({ type, data }) => {
      if (type === 'residency.sample.erased.v1') {
        erased.add(data['of']);
        return stored.has(String(data['of']))
          ? []
          : [`${String(data['of'])} was erased and never stored`];
      }
      return type === 'residency.sample.copied.v1' && erased.has(data['of'])
        ? [`${String(data['of'])} was copied after its erasure`]
        : [];
    });
  });
}

function firstOfEachAct(control: readonly TopicEvent[], type: string): readonly TopicEvent[] {
  const acts = new Set<unknown>();
  return control.filter((event) => {
    const isNew = event.type === type && !acts.has(event.data['act']);
    if (isNew) acts.add(event.data['act']);
    return isNew;
  });
}

function regionOf(site: string): string {
  return (
    Object.keys(SITES_BY_REGION).find((region) => SITES_BY_REGION[region]?.includes(site)) ?? ''
  );
}
