import {
  NO_ERASURES,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  custodyDigest,
  decodeAuditEvent,
  decodeCustodyEvent,
  encodeAuditEvent,
  encodeCustodyEvent,
  encodeObjectMetadata,
  encodeQuarantinePointer,
  formatPosition,
  objectKey,
  parsePosition,
  setAsideKey,
  sha256,
  submissionOfSetAsideKey,
  tombstoneBytes,
  tombstoneOf,
} from '@residency/contracts';
import type {
  AuditEvent,
  CopiedData,
  ErasedData,
  ErasureOrder,
  LossOrder,
  LostData,
  Placement,
  Position,
  StoredData,
  StoredEvent,
} from '@residency/contracts';
import type { FoundObject, ReconcileDeps, SealedHeader } from '../src/index.ts';

/**
 * An in-memory system as a router leaves it: sites, audit log and progress, each open to
 * manipulation.
 */
export const REGIONS: Readonly<Record<string, readonly string[]>> = {
  zurich: ['zrh-1', 'zrh-2'],
  moscow: ['mow-1'],
};
export const POLICY = sha256(Buffer.from('policy'));
export const PARTITIONS = 2;
const AT = Date.UTC(2024, 0, 1);
/** The `act` of an order to erase. */
export const ORDER = '00000000-0000-4000-8000-000000000001';

export type StoredObject = { bytes: Buffer; metadata?: Record<string, unknown>; link?: boolean };
type Site = Map<string, StoredObject>;

export interface World {
  readonly sites: Map<string, Site>;
  /** Events by partition. */
  readonly events: Buffer[][];
  /** Custody events by region. */
  readonly custody: Map<string, Buffer[]>;
  /** Sites that a later policy version added, by region. */
  readonly added: Map<string, string[]>;
  /** Orders to erase. */
  readonly orders: ErasureOrder[];
  /** Orders to give samples up. */
  readonly losses: LossOrder[];
  readonly committed: Map<string, bigint>;
  /** Records of each partition that are not settled yet. */
  readonly waiting: Map<string, bigint>;
  readonly pointers: Buffer[];
  readonly lookupDifferences: string[];
  readonly foreignSites: string[];
}

export function emptyWorld(): World {
  return {
    sites: new Map(
      Object.values(REGIONS)
        .flat()
        .map((site) => [site, new Map()]),
    ),
    events: Array.from({ length: PARTITIONS }, () => []),
    custody: new Map(),
    added: new Map(),
    orders: [],
    losses: [],
    committed: new Map(
      Array.from({ length: PARTITIONS }, (_, partition) => [partitionName(partition), -1n]),
    ),
    waiting: new Map(),
    pointers: [],
    lookupDifferences: [],
    foreignSites: [],
  };
}

export function partitionName(partition: number): string {
  return `log-1/threat.samples/${partition}`;
}

export function positionOf(partition: number, offset: bigint): Position {
  return { log: 'log-1', topic: 'threat.samples', partition, offset };
}

export function submissionOf(name: string): string {
  return sha256(Buffer.from(name));
}

export function sampleOf(name: string): Buffer {
  return Buffer.from(`sample ${name}`);
}

export function seal(
  name: string,
  region: string,
  attempt = 0,
  over: Partial<SealedHeader> = {},
): Buffer {
  const header = {
    region,
    policyDigest: POLICY,
    sampleSha256: sha256(sampleOf(name)),
    submission: submissionOf(name),
    wrappingKeys: [`${region}-key`],
    ...over,
  };
  return Buffer.from(
    JSON.stringify({ header, sample: sampleOf(name).toString('base64'), attempt }),
  );
}

/** The object as an attempt creates it. */
export function objectOf(
  name: string,
  region: string,
  position: Position,
  attempt = 0,
  bytes = seal(name, region, attempt),
): StoredObject {
  const metadata = encodeObjectMetadata({
    position: formatPosition(position),
    sampleSha256: sha256(sampleOf(name)),
    country: 'CH',
    policyDigest: POLICY,
    sealedSha256: sha256(bytes),
    wrappingKey: `${region}-key`,
  });
  return { bytes, metadata };
}

export function placementOf(
  site: string,
  name: string,
  { bytes, metadata }: StoredObject,
): Placement {
  return {
    site,
    key: objectKey(submissionOf(name)),
    sealedSha256: String(metadata?.['sealed-sha256']),
    sealedBytes: bytes.length,
    wrappingKey: String(metadata?.['wrapping-key']),
  };
}

export function judged(name: string, region: string): Omit<StoredData, 'previous' | 'placements'> {
  return {
    submission: submissionOf(name),
    sampleSha256: sha256(sampleOf(name)),
    sampleBytes: sampleOf(name).length,
    verdict: 'suspicious',
    country: 'CH',
    consentId: 'consent-0001',
    termsVersion: '1',
    decision: { region, rule: `rule-${region}`, policy: { id: 'gti', version: 1, digest: POLICY } },
  };
}

type Body<E = AuditEvent> = E extends AuditEvent
  ? { readonly outcome: E['outcome']; readonly data: Omit<E['data'], 'previous'> }
  : never;

/** Makes event and progress visible at one instant, as a log does. */
export function settle(world: World, partition: number, body: Body): Position {
  const name = partitionName(partition);
  const last = world.committed.get(name) ?? -1n;
  const position = positionOf(partition, last + 1n);
  world.events[partition]?.push(encode(position, last < 0n ? null : last.toString(), body));
  if (body.outcome === 'quarantined') world.pointers.push(pointerOf(position));
  world.committed.set(name, last + 1n);
  const waiting = world.waiting.get(name) ?? 0n;
  if (waiting > 0n) world.waiting.set(name, waiting - 1n);
  return position;
}

/** Appends records that are not settled. */
export function publish(world: World, partition: number, records = 1n): void {
  const name = partitionName(partition);
  world.waiting.set(name, (world.waiting.get(name) ?? 0n) + records);
}

export function pointerOf(position: Position): Buffer {
  return encodeQuarantinePointer({
    position: formatPosition(position),
    reason: 'UNDECODABLE',
    detail: '',
    valueSha256: sha256(Buffer.alloc(0)),
    valueBytes: 0,
  });
}

export function encode(position: Position, previous: string | null, body: Body): Buffer {
  const at = AT;
  switch (body.outcome) {
    case 'stored':
      return encodeAuditEvent({
        position,
        at,
        outcome: body.outcome,
        data: { ...body.data, previous },
      });
    case 'duplicate':
      return encodeAuditEvent({
        position,
        at,
        outcome: body.outcome,
        data: { ...body.data, previous },
      });
    case 'refused':
      return encodeAuditEvent({
        position,
        at,
        outcome: body.outcome,
        data: { ...body.data, previous },
      });
    case 'quarantined':
      return encodeAuditEvent({
        position,
        at,
        outcome: body.outcome,
        data: { ...body.data, previous },
      });
    default:
      return body satisfies never;
  }
}

export function store(world: World, name: string, region: string, partition = 0): Position {
  const position = positionOf(
    partition,
    (world.committed.get(partitionName(partition)) ?? -1n) + 1n,
  );
  const object = objectOf(name, region, position);
  for (const site of REGIONS[region] ?? []) put(world, site, name, object);
  return settle(world, partition, {
    outcome: 'stored',
    data: {
      ...judged(name, region),
      placements: (REGIONS[region] ?? []).map((site) => placementOf(site, name, object)),
    },
  });
}

/** Stores a sample that only the first site has; the others owe a copy. */
export function storeOwing(world: World, name: string, region: string, partition = 0): Position {
  const [first = '', ...owed] = REGIONS[region] ?? [];
  const position = positionOf(
    partition,
    (world.committed.get(partitionName(partition)) ?? -1n) + 1n,
  );
  const object = objectOf(name, region, position);
  put(world, first, name, object);
  return settle(world, partition, {
    outcome: 'stored',
    data: { ...judged(name, region), placements: [placementOf(first, name, object)], owed },
  });
}

/** A later policy version adds a site to the region. */
export function addSite(world: World, region: string, site: string): void {
  world.added.set(region, [...(world.added.get(region) ?? []), site]);
  if (!world.sites.has(site)) world.sites.set(site, new Map());
}

/** A custodian copies an object within the region; its event comes later. */
export function copy(
  world: World,
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
): void {
  put(world, to, name, at(world, from, name));
}

/** Keeps the bytes of a site's object as a custodian does before it replaces them. */
export function setAside(world: World, site: string, name: string): CopiedData['setAside'] {
  const object = at(world, site, name);
  const digest = sha256(object.bytes);
  const key = setAsideKey(submissionOf(name), digest);
  world.sites.get(site)?.set(key, { ...object });
  return { key, sha256: digest };
}

/** Appends the event of a copy that is in `to` already; `over` replaces its members. */
export function recordCopy(
  world: World,
  name: string,
  { of, to, region = 'zurich' }: { of: string; to: string; region?: string },
  over: Partial<CopiedData> = {},
): void {
  appendCustody(world, region, (previous) => ({
    type: SAMPLE_COPIED,
    data: {
      previous,
      of,
      submission: submissionOf(name),
      region,
      from: REGIONS[region]?.[0] ?? '',
      copy: placementOf(to, name, copyOf(world, of)),
      ...over,
    },
  }));
}

function appendCustody(
  world: World,
  region: string,
  eventOf: (
    previous: string | null,
  ) =>
    | { readonly type: typeof SAMPLE_COPIED; readonly data: CopiedData }
    | { readonly type: typeof SAMPLE_ERASED; readonly data: ErasedData }
    | { readonly type: typeof SAMPLE_LOST; readonly data: LostData },
): void {
  const log = world.custody.get(region) ?? [];
  world.custody.set(region, log);
  const last = log.at(-1);
  const sequence = last === undefined ? 0 : decodeCustodyEvent(last).sequence + 1;
  const event = eventOf(last === undefined ? null : custodyDigest(last));
  log.push(encodeCustodyEvent({ log: 'log-1', sequence, at: AT, ...event }));
}

/** Appends an order to erase these samples. */
export function order(world: World, names: readonly string[], act = ORDER): void {
  const submissions = names.map(submissionOf);
  world.orders.push({ act, at: AT, reason: 'withdrawn', submissions, consents: [] });
}

/** A custodian puts the tombstone of a stored sample into a site; its event comes later. */
export function erase(world: World, site: string, of: string, act = ORDER): void {
  const event = storedAt(world, of);
  const { key, bytes, metadata } = tombstoneOf(event, act);
  const objects = world.sites.get(site);
  objects?.set(key, { bytes, metadata: encodeObjectMetadata(metadata) });
  for (const other of objects?.keys() ?? [])
    if (submissionOfSetAsideKey(other) === event.data.submission) objects?.set(other, { bytes });
}

/** Appends the event of an erasure; `over` replaces its members. */
export function recordErasure(
  world: World,
  name: string,
  {
    of,
    sites,
    region = 'zurich',
  }: { readonly of: string; readonly sites: readonly string[]; readonly region?: string },
  over: Partial<ErasedData> = {},
): void {
  const digest = sha256(tombstoneBytes(submissionOf(name), ORDER));
  appendCustody(world, region, (previous) => ({
    type: SAMPLE_ERASED,
    data: {
      previous,
      of,
      submission: submissionOf(name),
      region,
      order: ORDER,
      sites: sites.map((site) => ({ site, sha256: digest, versions: 0, setAside: 0, uploads: 0 })),
      ...over,
    },
  }));
}

/** Orders that these samples are given up in Zurich. */
export function giveUp(
  world: World,
  names: readonly string[],
  over: Partial<LossOrder> = {},
): void {
  const submissions = names.map(submissionOf);
  world.losses.push({
    act: ORDER,
    at: AT,
    reason: 'burned',
    region: 'zurich',
    submissions,
    ...over,
  });
}

/** Appends the event that a sample is lost; `over` replaces its members. */
export function recordLoss(
  world: World,
  name: string,
  of: string,
  over: Partial<LostData> = {},
): void {
  appendCustody(world, 'zurich', (previous) => ({
    type: SAMPLE_LOST,
    data: {
      previous,
      of,
      submission: submissionOf(name),
      region: 'zurich',
      order: ORDER,
      sites: ['zrh-1', 'zrh-2'].map((site) => ({ site, found: 'nothing' })),
      ...over,
    },
  }));
}

function storedAt(world: World, of: string): StoredEvent {
  const { partition, offset } = parsePosition(of);
  const event = decodeAuditEvent(world.events[partition]?.[Number(offset)] ?? Buffer.alloc(0));
  if (event.outcome !== 'stored') throw new Error('The test world stored nothing there.');
  return event;
}

/** What the first placement of the event at this position says, as an object without bytes. */
function copyOf(world: World, of: string): Parameters<typeof placementOf>[2] {
  const [first] = storedAt(world, of).data.placements;
  if (first === undefined) throw new Error('The test world stored nothing there.');
  return {
    bytes: Buffer.alloc(first.sealedBytes),
    metadata: { 'sealed-sha256': first.sealedSha256, 'wrapping-key': first.wrappingKey },
  };
}

export function put(world: World, site: string, name: string, object: StoredObject): void {
  world.sites.get(site)?.set(objectKey(submissionOf(name)), { ...object });
}

export function at(world: World, site: string, name: string): StoredObject {
  const object = world.sites.get(site)?.get(objectKey(submissionOf(name)));
  if (object === undefined) throw new Error('The test world has no such object.');
  return object;
}

export function refuse(world: World, name: string, partition = 0): Position {
  return settle(world, partition, {
    outcome: 'refused',
    data: {
      submission: submissionOf(name),
      sampleBytes: 1,
      verdict: 'malicious',
      consentId: 'consent-0002',
      reason: 'CONSENT_UNKNOWN',
    },
  });
}

/** A record of the identity with another sample. */
export function conflict(
  world: World,
  name: string,
  region: string,
  of: Position,
  partition = 0,
  sample = 'another',
): Position {
  return settle(world, partition, {
    outcome: 'quarantined',
    data: {
      ...judged(name, region),
      reason: 'IDENTITY_CONFLICT',
      sampleSha256: sha256(sampleOf(sample)),
      of: formatPosition(of),
      owner: { sampleSha256: sha256(sampleOf(name)), country: 'CH' },
    },
  });
}

export function duplicate(
  world: World,
  name: string,
  region: string,
  of: Position,
  partition = 0,
): Position {
  return settle(world, partition, {
    outcome: 'duplicate',
    data: { ...judged(name, region), of: formatPosition(of) },
  });
}

/** Both regions, both partitions, every outcome. */
export function sampleWorld(): World {
  const world = emptyWorld();
  const first = store(world, 'a', 'zurich');
  store(world, 'b', 'moscow');
  refuse(world, 'c');
  duplicate(world, 'a', 'zurich', first);
  settle(world, 1, { outcome: 'quarantined', data: { reason: 'UNDECODABLE' } });
  store(world, 'd', 'zurich', 1);
  return world;
}

/** Reads a world while it changes; `pause` is the time between two steps. */
export function depsOf(
  world: World,
  pause: () => Promise<void> = () => Promise.resolve(),
): ReconcileDeps {
  return {
    foreignSites: world.foreignSites,
    ruleHolds: (policy, { rule, region, country, at: time }) =>
      policy === POLICY && rule === `rule-${region}` && country === 'CH' && time === AT,
    sites: [...world.sites].map(([site, objects]) => ({
      site,
      // As S3 lists: in key order; each step sees the entries that exist then.
      async *list() {
        for (let after = ''; ;) {
          await pause();
          const next = [...objects.keys()].toSorted().find((key) => key > after);
          if (next === undefined) return;
          after = next;
          yield { key: next, foreign: objects.get(next)?.link ?? false };
        }
      },
      async read(key): Promise<FoundObject | undefined> {
        await pause();
        const found = objects.get(key);
        return found?.link === true ? undefined : found;
      },
    })),
    trail: {
      async *events() {
        for (const partition of world.events) {
          for (let next = 0; ; next += 1) {
            await pause();
            const bytes = partition[next];
            if (bytes === undefined) break;
            yield bytes;
          }
        }
      },
      async *custody() {
        for (const region of Object.keys(REGIONS))
          for (let next = 0; ; next += 1) {
            await pause();
            const bytes = world.custody.get(region)?.[next];
            if (bytes === undefined) break;
            yield bytes;
          }
      },
      async committed() {
        await pause();
        return new Map(world.committed);
      },
      async end() {
        await pause();
        return new Map(
          [...world.committed].map(([name, last]) => [
            name,
            last + 1n + (world.waiting.get(name) ?? 0n),
          ]),
        );
      },
      async *pointers() {
        for (let next = 0; ; next += 1) {
          await pause();
          const pointer = world.pointers[next];
          if (pointer === undefined) return;
          yield pointer;
        }
      },
      async *lookupDifferences() {
        yield* world.lookupDifferences;
      },
    },
    regions: () =>
      new Map(
        Object.entries(REGIONS).map(([region, sites]) => [
          region,
          new Set([...sites, ...(world.added.get(region) ?? [])]),
        ]),
      ),
    sitesOf: (policy, region) => (policy === POLICY ? REGIONS[region] : undefined),
    settleWithOf: (policy, region) =>
      policy === POLICY && REGIONS[region] !== undefined ? 1 : undefined,
    erasures: async () => {
      await pause();
      return { ...NO_ERASURES, orders: [...world.orders] };
    },
    losses: async () => {
      await pause();
      return [...world.losses];
    },
    readHeader: (message) => parse(message).header,
    open: (message, region) => {
      const { header, sample } = parse(message);
      return header.region === region
        ? Promise.resolve({ sample: Buffer.from(sample, 'base64'), context: header })
        : Promise.reject(new Error('The test key opens its own region only.'));
    },
  };
}

function parse(message: Buffer): { readonly header: SealedHeader; readonly sample: string } {
  return JSON.parse(message.toString());
}
