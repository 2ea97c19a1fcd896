import { createHash } from 'node:crypto';
import {
  ALL_IN_SERVICE,
  INITIAL_CONTROL,
  custodyEntry,
  decodeAuditEvent,
  encodeAuditEvent,
  formatPosition,
  isStoredIn,
  namedOwner,
  parsePosition,
  storedSample,
} from '@residency/contracts';
import type {
  AuditEvent,
  ClaimedIdentity,
  ControlState,
  CopiedData,
  StoredEvent,
} from '@residency/contracts';
import { KeySet, findClaims } from '@residency/custodianship';
import type {
  AuditFeed,
  CustodyLog,
  CustodyReading,
  FoundClaims,
  PassedOverCode,
  RegisterKeeping,
} from '@residency/custodianship';
import { holding } from '@residency/custody';
import type { SampleCopied } from '@residency/custody';
import { MemoryRegisterStore } from '@residency/testkit';
import { CustodyWorld } from './custody-world.ts';

export const SITES = ['zrh-1', 'zrh-2', 'zrh-3'] as const;
export const TOPICS = { audit: 'audit-1', custody: 'custody-1' };
const AT = Date.UTC(2026, 0, 1);

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** What is appended to one of the logs. `of`: an intake record, settled by then or not. */
export type Appended =
  | {
      readonly kind: 'stored';
      readonly partition: number;
      readonly sites: readonly string[];
      /** The other placements have another ciphertext than the first one. */
      readonly unequal: boolean;
      readonly region: string;
      /** Offsets of the audit log before it that have no record. */
      readonly gap: number;
    }
  | {
      readonly kind: 'duplicate' | 'conflict';
      readonly partition: number;
      readonly of: Place;
      readonly region: string;
      readonly log: string;
    }
  /** `skipped`: an offset of the intake log that has no record. */
  | { readonly kind: 'parked' | 'no event' | 'skipped'; readonly partition: number }
  | {
      readonly kind: 'copied';
      /** Of the samples stored so far. */
      readonly nth: number;
      readonly site: string;
      readonly as: 'right' | 'another ciphertext' | 'another region' | 'a repeated number';
      readonly byOrder: boolean;
    };

/** The logs of a region, and what an unhurried reader makes of them. */
export class ClaimsWorld {
  readonly #audit = new Map<number, { readonly offset: bigint; readonly value: Buffer }[]>();
  readonly #events: AuditEvent[] = [];
  readonly #custody: Buffer[] = [];
  readonly #copies: SampleCopied[] = [];
  readonly #next = new Map<number, number>();
  readonly #settled = new Map<number, bigint>();
  readonly #ends = new Map<number, bigint>();

  append(one: Appended): void {
    switch (one.kind) {
      case 'stored':
        this.#stored(one);
        return;
      case 'duplicate':
      case 'conflict':
        this.#named(one);
        return;
      case 'parked':
        this.#settle(one.partition, 'quarantined', { reason: 'UNDECODABLE' });
        return;
      case 'skipped':
        this.#next.set(one.partition, (this.#next.get(one.partition) ?? 0) + 1);
        return;
      case 'no event':
        this.#push(one.partition, Buffer.from('no event'));
        return;
      case 'copied':
        this.#copied(one);
        return;
      default:
        one satisfies never;
    }
  }

  /** Names of the samples that are stored in the region. */
  get stored(): readonly string[] {
    return this.#storedEvents.map(({ position }) => nameOf(position));
  }

  /** A register as a custodian saves it now that finds every site but these in service, and away. */
  async register(out: readonly string[]): Promise<MemoryRegisterStore> {
    const w = new CustodyWorld(SITES);
    for (const site of SITES) w.away.add(site);
    const store = new MemoryRegisterStore();
    const control: ControlState = {
      ...INITIAL_CONTROL,
      services: { zurich: { ...ALL_IN_SERVICE, out: new Map(out.map((site) => [site, 1])) } },
    };
    const custodian = await w.custodian({
      control: () => control,
      audit: this.feed(),
      custody: this.custody(),
      register: keeping(store),
    });
    await custodian.round(new AbortController().signal);
    await custodian.keep();
    return store;
  }

  async find(
    sites: readonly [string, ...string[]],
    has: (site: string, name: string) => boolean,
    store?: MemoryRegisterStore,
    custody: CustodyReading = this.custody(),
  ): Promise<FoundClaims & { readonly passedOver: readonly PassedOverCode[] }> {
    const passedOver: PassedOverCode[] = [];
    const listed = new Map(
      sites.map((site) => {
        const keys = new KeySet();
        for (const name of this.stored) if (has(site, name)) keys.add(digest(name));
        return [site, keys] as const;
      }),
    );
    const found = await findClaims({
      sites,
      audit: this.feed(),
      custody,
      listed: Promise.resolve(listed),
      ...(store === undefined
        ? {}
        : {
            register: { store, topics: TOPICS, passedOver: (code) => void passedOver.push(code) },
          }),
    });
    return { ...found, passedOver };
  }

  /** The claims by the rules' own words, from all events at once. */
  expected(
    sites: readonly string[],
    has: (site: string, name: string) => boolean,
  ): { readonly claims: readonly ClaimedIdentity[]; readonly unheld: number } {
    const claims = new Map<string, ClaimedIdentity>();
    let unheld = 0;
    for (const event of this.#events) {
      const owner = namedOwner(event);
      const { submission } = event.data;
      const isOfRegion = 'decision' in event.data && event.data.decision?.region === 'zurich';
      if (owner === undefined || submission === undefined || !isOfRegion) continue;
      const { log, partition, offset } = parsePosition(owner.of);
      if (log === 'log-1' && offset > (this.#settled.get(partition) ?? -1n))
        claims.set(owner.of, { submission, ...owner });
    }
    for (const event of this.#storedEvents) {
      const of = formatPosition(event.position);
      const { copies } = holding(
        storedSample(event),
        this.#copies.filter((copy) => copy.of === of),
      ).holding;
      const holders = sites.filter(
        (site) => copies.some((copy) => copy.site === site) && has(site, nameOf(event.position)),
      );
      if (holders.length === 0) unheld += 1;
      const { submission, sampleSha256, country } = event.data;
      if (!holders.includes(sites[0] ?? ''))
        claims.set(of, { submission, of, sampleSha256, country });
    }
    return { claims: [...claims.values()], unheld };
  }

  feed(): AuditFeed {
    const audit = new Map([...this.#audit].map(([partition, all]) => [partition, [...all]]));
    return {
      partitions: async () => [0, 1],
      read: async function* read(partition, from) {
        for (const record of audit.get(partition) ?? []) if (record.offset >= from) yield record;
      },
    };
  }

  custody(): CustodyLog {
    const values = [...this.#custody];
    return {
      log: 'log-1',
      region: 'zurich',
      read: async function* read(from = 0n) {
        for (const [index, value] of values.entries())
          if (BigInt(index) >= from) yield { offset: BigInt(index), value };
      },
      append: () => Promise.reject(new Error('Nothing is paid here.')),
      confirm: async () => undefined,
      close: async () => undefined,
    };
  }

  get #storedEvents(): readonly StoredEvent[] {
    return this.#events.filter((event) => isStoredIn('zurich', event));
  }

  #stored({ partition, sites, unequal, region, gap }: Extract<Appended, { kind: 'stored' }>): void {
    const name = this.#nextName(partition);
    this.#skip(partition, gap);
    this.#settle(partition, 'stored', {
      ...judged(name, region),
      placements: sites.map((site, index) =>
        placed(site, name, unequal && index > 0 ? 'another' : name),
      ),
    });
  }

  #named({
    kind,
    partition,
    of,
    region,
    log,
  }: Extract<Appended, { kind: 'duplicate' | 'conflict' }>): void {
    const name = `${of.partition}/${of.offset}`;
    const owner = `${log}/threat.samples/${name}`;
    const known = judged(name, region);
    if (kind === 'duplicate') this.#settle(partition, 'duplicate', { ...known, of: owner });
    else
      this.#settle(partition, 'quarantined', {
        ...known,
        reason: 'IDENTITY_CONFLICT',
        of: owner,
        owner: { sampleSha256: known.sampleSha256, country: 'CH' },
        sampleSha256: digest('another sample'),
      });
  }

  #copied({ nth, site, as, byOrder }: Extract<Appended, { kind: 'copied' }>): void {
    const stored = this.#storedEvents.at(nth);
    if (stored === undefined) return;
    const { position, submission, placements } = storedSample(stored);
    const [{ sealedSha256, sealedBytes }] = placements;
    const sealed = as === 'another ciphertext' ? digest(`other ${site}`) : sealedSha256;
    const data: CopiedData = {
      previous: null,
      of: position,
      submission,
      region: as === 'another region' ? 'moscow' : 'zurich',
      from: 'zrh-9',
      copy: { ...placed(site, nameOf(stored.position), ''), sealedSha256: sealed, sealedBytes },
      ...(byOrder ? { order: 'an-order' } : {}),
    };
    const isRepeated = as === 'a repeated number' && this.#copies.length > 0;
    const sequence = isRepeated ? 0 : this.#custody.length;
    const { record } = custodyEntry({
      log: 'log-1',
      sequence,
      at: AT,
      type: 'residency.sample.copied.v1',
      data,
    });
    this.#custody.push(record.value ?? Buffer.alloc(0));
    if (isRepeated || data.region !== 'zurich') return;
    this.#copies.push({
      type: 'copied',
      of: position,
      submission,
      region: 'zurich',
      copy: data.copy,
      isRepair: byOrder,
    });
  }

  #settle(partition: number, outcome: AuditEvent['outcome'], data: object): void {
    const offset = this.#next.get(partition) ?? 0;
    this.#next.set(partition, offset + 1);
    const position = parsePosition(`log-1/threat.samples/${partition}/${offset}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded below
    const event = { position, at: AT, outcome, data: { previous: null, ...data } } as AuditEvent;
    const value = encodeAuditEvent(event);
    this.#events.push(decodeAuditEvent(value));
    this.#settled.set(partition, position.offset);
    this.#push(partition, value);
  }

  #push(partition: number, value: Buffer): void {
    const all = this.#audit.get(partition) ?? [];
    this.#audit.set(partition, all);
    all.push({ offset: this.#end(partition), value });
    this.#ends.set(partition, this.#end(partition) + 1n);
  }

  #end(partition: number): bigint {
    return this.#ends.get(partition) ?? 0n;
  }

  #skip(partition: number, offsets: number): void {
    this.#ends.set(partition, this.#end(partition) + BigInt(offsets));
  }

  #nextName(partition: number): string {
    return `${partition}/${this.#next.get(partition) ?? 0}`;
  }
}

function keeping(store: MemoryRegisterStore): RegisterKeeping {
  return {
    store,
    topics: TOPICS,
    passedOver: () => undefined,
    opened: () => undefined,
    saved: () => undefined,
    failed: (error) => {
      throw error;
    },
  };
}

/** Each intake record has an identity of its own, named by its place. */
function nameOf({ partition, offset }: AuditEvent['position']): string {
  return `${partition}/${offset}`;
}

function judged(name: string, region: string) {
  return {
    submission: digest(name),
    sampleSha256: digest(`sample ${name}`),
    sampleBytes: 1,
    verdict: 'suspicious',
    country: 'CH',
    consentId: 'c',
    termsVersion: '1',
    decision: { region, rule: 'r', policy: { id: 'p', version: 1, digest: digest('policy') } },
  };
}

function placed(site: string, name: string, sealed: string) {
  return {
    site,
    key: `samples/${digest(name)}`,
    sealedSha256: digest(`sealed ${sealed}`),
    sealedBytes: 10,
    wrappingKey: 'k',
  };
}
