import { CodedError } from '@residency/coded-error';
import {
  INITIAL_CONTROL,
  NO_ERASURES,
  SAMPLE_COPIED,
  controlEventIn,
  custodyDigest,
  encodeAuditEvent,
  encodeCustodyEvent,
  encodeObjectMetadata,
  evolveControl,
  formatPosition,
  objectKey,
  sha256,
} from '@residency/contracts';
import type { Erasures, LogEntry, Position } from '@residency/contracts';
import { PolicyBook } from '@residency/reconciliation';
import type { AuditTrail, FoundObject, SealedHeader, SiteReader } from '@residency/reconciliation';
import { BEGINNING_OF_TIME, COUNTRIES } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import type { ExaminedSites } from '../src/examine-sites.ts';

export const SITES = ['zrh-1', 'zrh-2', 'mow-1'] as const;
export type Site = (typeof SITES)[number];
const REGIONS = { zurich: ['zrh-1', 'zrh-2'], moscow: ['mow-1'] } as const;
export type Region = keyof typeof REGIONS;
const AT = Date.UTC(2024, 0, 1);

const rule = {
  from: BEGINNING_OF_TIME,
  basis: 'named',
  confidence: 'stated',
  cites: ['a source'],
} as const;
const POLICY: PolicyPublished = {
  digest: sha256(Buffer.from('policy')),
  appendedAt: 0,
  document: {
    id: 'gti',
    version: 1,
    effectiveFrom: BEGINNING_OF_TIME,
    regions: Object.entries(REGIONS).map(([id, sites]) => ({ id, sites, settleWith: 1 })),
    rules: [
      { ...rule, id: 'rule-zurich', region: 'zurich', countries: ['CH'] },
      {
        ...rule,
        id: 'rule-moscow',
        region: 'moscow',
        countries: [...COUNTRIES.keys()].filter((code) => code !== 'CH'),
      },
    ],
  },
};
const COUNTRY = { zurich: 'CH', moscow: 'RU' } as const;

export const keyOf = (name: string): string => objectKey(sha256(Buffer.from(name)));

/** A system in memory as its routers left it. Tests tamper with it directly. */
export class MemorySystem {
  readonly sites: ReadonlyMap<Site, Map<string, FoundObject>> = new Map(
    SITES.map((site) => [site, new Map()]),
  );
  readonly #events: Buffer[][] = [[], []];
  /** The custody events of both regions. */
  readonly custody: Buffer[] = [];
  /** Sites that do not answer. */
  readonly away = new Set<string>();
  /** Sites that are out of service. */
  readonly out = new Set<string>();
  logAway = false;
  /** As the policy says of Zurich. */
  keepDays: number | undefined;
  /** Why nothing can be appended to the control log. */
  appendFails: Error | undefined;
  #control = INITIAL_CONTROL;
  /** Told of each object before it is read. */
  onRead: (site: Site, key: string) => void = () => undefined;

  /** The sites in `owed` get no object and owe a copy. */
  store(name: string, region: Region, partition = 0, owed: readonly Site[] = []): Position {
    const sites = REGIONS[region].filter((site) => !owed.includes(site));
    const events = this.#events[partition] ?? [];
    const position = {
      log: 'log-1',
      topic: 'threat.samples',
      partition,
      offset: BigInt(events.length),
    };
    const submission = sha256(Buffer.from(name));
    const [sampleSha256, country] = [sha256(Buffer.from(`sample ${name}`)), COUNTRY[region]];
    const header: SealedHeader = {
      region,
      policyDigest: POLICY.digest,
      sampleSha256,
      submission,
      wrappingKeys: ['key-1'],
    };
    const bytes = Buffer.from(JSON.stringify(header));
    const metadata = encodeObjectMetadata({
      position: formatPosition(position),
      sampleSha256,
      country,
      policyDigest: POLICY.digest,
      sealedSha256: sha256(bytes),
      wrappingKey: 'key-1',
    });
    for (const site of sites) this.sites.get(site)?.set(keyOf(name), { bytes, metadata });
    events.push(
      encodeAuditEvent({
        position,
        at: AT,
        outcome: 'stored',
        data: {
          previous: events.length === 0 ? null : String(events.length - 1),
          submission,
          sampleSha256,
          sampleBytes: 1,
          verdict: 'malicious',
          country,
          consentId: 'consent-1',
          termsVersion: '1',
          decision: {
            region,
            rule: `rule-${region}`,
            policy: { id: 'gti', version: 1, digest: POLICY.digest },
          },
          placements: sites.map((site) => ({
            site,
            key: keyOf(name),
            sealedSha256: sha256(bytes),
            sealedBytes: bytes.length,
            wrappingKey: 'key-1',
          })),
          ...(owed.length > 0 ? { owed: [...owed] } : {}),
        },
      }),
    );
    return position;
  }

  /** Copies within Zurich as its custodian does, with an event. */
  pay(name: string, position: Position, to: Site): void {
    this.copy(name, 'zrh-1', to);
    const bytes = this.sites.get('zrh-1')?.get(keyOf(name))?.bytes ?? Buffer.alloc(0);
    const last = this.custody.at(-1);
    this.custody.push(
      encodeCustodyEvent({
        log: 'log-1',
        sequence: this.custody.length,
        at: AT,
        type: SAMPLE_COPIED,
        data: {
          previous: last === undefined ? null : custodyDigest(last),
          of: formatPosition(position),
          submission: sha256(Buffer.from(name)),
          region: 'zurich',
          from: 'zrh-1',
          copy: {
            site: to,
            key: keyOf(name),
            sealedSha256: sha256(bytes),
            sealedBytes: bytes.length,
            wrappingKey: 'key-1',
          },
        },
      }),
    );
  }

  copy(name: string, from: Site, to: Site): void {
    const object = this.sites.get(from)?.get(keyOf(name));
    if (object !== undefined) this.sites.get(to)?.set(keyOf(name), object);
  }

  remove(name: string, from: Site): void {
    this.sites.get(from)?.delete(keyOf(name));
  }

  async examine(): Promise<{ readonly seen: ExaminedSites; readonly policies: PolicyBook }> {
    const policies = await PolicyBook.open(async () => {
      this.#demandLog();
      return [this.#policy()];
    });
    const there = SITES.filter((site) => !this.away.has(site) && !this.out.has(site));
    return {
      policies,
      seen: {
        readers: SITES.map((site) => this.#reader(site)),
        foreign: [],
        reachable: new Set(there),
        unreachable: new Map(
          [...this.away].filter((site) => !this.out.has(site)).map((site) => [site, gone(site)]),
        ),
        out: this.out,
      },
    };
  }

  /** By the control log. */
  erasures(): Erasures {
    return this.#control.erasures ?? NO_ERASURES;
  }

  async append(entries: readonly LogEntry[]): Promise<void> {
    await Promise.resolve();
    if (this.appendFails !== undefined) throw this.appendFails;
    for (const { record } of entries) {
      const event = controlEventIn(record);
      if (event !== undefined) this.#control = evolveControl(this.#control, event, 0);
    }
  }

  #policy(): PolicyPublished {
    const regions = POLICY.document.regions.map((region) =>
      region.id === 'zurich' ? { ...region, keepDays: this.keepDays } : region,
    );
    return { ...POLICY, document: { ...POLICY.document, regions } };
  }

  readHeader(bytes: Buffer): SealedHeader {
    return JSON.parse(bytes.toString()) as SealedHeader;
  }

  trail(signal: AbortSignal): AuditTrail {
    const read = async function* (
      this: MemorySystem,
      records: readonly Buffer[],
    ): AsyncGenerator<Buffer> {
      for (const record of records) {
        this.#demandLog();
        signal.throwIfAborted();
        yield record;
      }
    };
    const ends = new Map(
      this.#events.map((events, partition) => [
        `log-1/threat.samples/${partition}`,
        BigInt(events.length),
      ]),
    );
    return {
      events: () => read.call(this, this.#events.flat()),
      pointers: () => read.call(this, []),
      custody: () => read.call(this, this.custody),
      lookupDifferences: async function* () {
        /* None. */
      },
      end: () => Promise.resolve(ends),
      committed: () => Promise.resolve(new Map([...ends].map(([name, end]) => [name, end - 1n]))),
    };
  }

  #reader(site: Site): SiteReader {
    const objects = this.sites.get(site) ?? new Map<string, FoundObject>();
    const demand = (): void => {
      if (this.away.has(site)) throw gone(site);
    };
    return {
      site,
      list: async function* () {
        for (const key of objects.keys()) {
          demand();
          yield { key, foreign: !key.startsWith('samples/') };
        }
        demand();
      },
      read: async (key) => {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        demand();
        this.onRead(site, key);
        return objects.get(key);
      },
    };
  }

  #demandLog(): void {
    if (this.logAway)
      throw new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'It is away.', remedy: 'retry' });
  }
}

function gone(site: string): Error {
  return new CodedError({ code: 'SITE_UNREACHABLE', message: `${site} is away.`, remedy: 'retry' });
}
