import { CodedError } from '@residency/coded-error';
import {
  ORDER_CLOSED,
  SAMPLE_COPIED,
  SAMPLE_NOT_REPAIRED,
  custodyEventIn,
  encodeAuditEvent,
  objectKey,
  policyDigest,
  sampleCopied,
  sha256,
  submissionId,
  INITIAL_CONTROL,
} from '@residency/contracts';
import type {
  AuditEvent,
  ClosedData,
  CopiedEvent,
  CustodyEvent,
  NotRepairedData,
  RepairOrder,
  ControlState,
} from '@residency/contracts';
import { Custodian } from '@residency/custodianship';
import type { AuditFeed, CustodianDeps, CustodianSite, CustodyLog } from '@residency/custodianship';
import { holding, owedSites } from '@residency/custody';
import type { PolicyDocument } from '@residency/residency';
import type { Sealer } from '@residency/routing';
import {
  MemoryCustodianSite,
  MemoryObjectStore,
  RoutingWorld,
  SHIPPED_POLICY,
  submissionEvent,
} from '@residency/testkit';

const { document } = SHIPPED_POLICY;
export const NOW = Date.UTC(2026, 0, 1);

export const keyOf = (id: string): string => objectKey(submissionId(submissionEvent({ id })));

/** A policy whose Zurich has these sites and may settle with one. */
export function policyWith(sites: readonly string[], version = 1, settleWith = 1): PolicyDocument {
  return {
    ...document,
    version,
    effectiveFrom: version === 1 ? document.effectiveFrom : new Date(NOW + 1_000).toISOString(),
    regions: document.regions.map((region) =>
      region.id === 'zurich' ? { id: 'zurich', sites, settleWith } : region,
    ),
  };
}

/** How an append of the custody log ends. */
export type AppendFault = 'pass' | 'fail' | 'fail-but-persist';

/** Zurich with a router, its sites in memory, an audit log and a custody log. */
export class CustodyWorld {
  readonly routing = new RoutingWorld().granted(NOW - 1_000);
  readonly audit: Buffer[] = [];
  readonly custody: Buffer[] = [];
  readonly away = new Set<string>();
  readonly orders: RepairOrder[] = [];
  control: ControlState = INITIAL_CONTROL;
  /** Wraps a site of the custodian. */
  wrap: (site: CustodianSite) => CustodianSite = (site) => site;
  /** How the next appends of the custody log end; those after them pass. */
  appendFaults: AppendFault[] = [];
  /** Append time of the next submissions. */
  at = NOW;
  now = NOW;
  elapsed = 0;
  #owner = 0;
  #sealed = 0;
  /** As a real one, it never makes the same bytes twice. */
  readonly #sealer: Sealer = {
    seal: async (sample, context) => {
      this.#sealed += 1;
      const message = Buffer.from(`${this.#sealed} ${context.submission} ${sample.length}`);
      return { message, sealedSha256: sha256(message), wrappingKey: 'zurich-test-key' };
    },
  };

  constructor(sites: readonly string[] = ['zrh-1', 'zrh-2'], settleWith = 1) {
    this.routing.policy(policyWith(sites, 1, settleWith));
    for (const site of sites) this.routing.sites.set(site, new MemoryObjectStore(site));
  }

  /** A later version of the policy, in force from now on. */
  policy(sites: readonly string[]): void {
    const policy = policyWith(sites, 2);
    this.routing.policies.push({
      document: policy,
      digest: policyDigest(policy),
      appendedAt: NOW + 1,
    });
    for (const site of sites)
      if (!this.routing.sites.has(site)) this.routing.sites.set(site, new MemoryObjectStore(site));
    this.now = NOW + 2_000;
  }

  store(site: string): MemoryObjectStore {
    const store = this.routing.sites.get(site);
    if (!(store instanceof MemoryObjectStore)) throw new TypeError(`${site} is not in memory`);
    return store;
  }

  /** Submits, routes and settles one sample. Sites in `without` cannot be reached meanwhile. */
  async stored(
    id: string,
    without: readonly string[] = [],
    sample = 'harmless',
  ): Promise<AuditEvent> {
    return (await this.placed(id, without, sample))();
  }

  /** Submits and routes one sample. The returned function settles it. */
  async placed(
    id: string,
    without: readonly string[] = [],
    sample = 'harmless',
  ): Promise<() => AuditEvent> {
    const { routing } = this;
    routing.submit(this.at, { id, sample });
    const sites = new Map(routing.sites);
    for (const site of without) routing.sites.delete(site);
    const offset = routing.records.length - 1;
    const result = await routing.route(
      { sealer: this.#sealer },
      {
        records: routing.records.slice(offset),
        previous: offset === 0 ? null : BigInt(offset - 1),
      },
    );
    for (const [site, store] of sites) routing.sites.set(site, store);
    const event = result.settlements[0]?.event;
    if (event === undefined) throw new Error(`waits: ${result.blocked?.error.code}`);
    return () => {
      routing.settle(result);
      this.audit.push(encodeAuditEvent(event));
      return event;
    };
  }

  encode(event: AuditEvent): Buffer {
    return encodeAuditEvent(event);
  }

  /** Opening fences every log that was opened before. */
  open(): CustodyLog {
    this.#owner += 1;
    const owner = this.#owner;
    const { custody } = this;
    return {
      log: 'log-1',
      region: 'zurich',
      read: async function* read(from = 0n) {
        for (const [index, value] of [...custody].entries())
          if (BigInt(index) >= from) yield { offset: BigInt(index), value };
      },
      append: async (values) => {
        const fault = this.appendFaults.shift() ?? 'pass';
        if (owner !== this.#owner)
          throw new CodedError({ code: 'FENCED', message: 'fenced', remedy: 'retry' });
        if (fault !== 'fail') custody.push(...values);
        if (fault !== 'pass')
          throw new CodedError({ code: 'UNREACHABLE', message: 'unknown', remedy: 'retry' });
        return BigInt(custody.length) - 1n;
      },
      confirm: async () => {
        if (owner !== this.#owner)
          throw new CodedError({ code: 'FENCED', message: 'fenced', remedy: 'retry' });
      },
      close: async () => undefined,
    };
  }

  feed(): AuditFeed {
    const { audit } = this;
    return {
      partitions: async () => [0],
      read: async function* read(_, from) {
        for (const [index, value] of [...audit].entries())
          if (BigInt(index) >= from) yield { offset: BigInt(index), value };
      },
    };
  }

  async custodian(overrides: Partial<CustodianDeps> = {}): Promise<Custodian> {
    return await Custodian.begin({
      custody: this.open(),
      audit: this.feed(),
      sites: { site: async (name) => this.#site(name) },
      outcomes: this.routing.outcomes,
      policies: this.routing.views().policies,
      now: () => this.now,
      elapsed: () => this.elapsed,
      random: () => 0,
      control: () => ({ ...this.control, repairs: this.orders }),
      ...overrides,
    });
  }

  /** The custody events about samples, in order. */
  get events(): readonly CopiedEvent[] {
    return this.all.filter((event) => event.type === SAMPLE_COPIED);
  }

  /** What orders could not make anew. */
  get notRepaired(): readonly NotRepairedData[] {
    return this.all.flatMap((event) => (event.type === SAMPLE_NOT_REPAIRED ? [event.data] : []));
  }

  /** The closing events of orders. */
  get closed(): readonly ClosedData[] {
    return this.all.flatMap((event) => (event.type === ORDER_CLOSED ? [event.data] : []));
  }

  get all(): readonly CustodyEvent[] {
    return this.custody
      .map((value) => custodyEventIn(value))
      .filter((event) => event !== undefined);
  }

  /** What the logs say about a stored sample, as a reader computes it. */
  read(event: AuditEvent, sites: readonly string[] = ['zrh-1', 'zrh-2']) {
    if (event.outcome !== 'stored') throw new TypeError('not stored');
    const { submission, decision, placements } = event.data;
    const [first, ...others] = placements;
    if (first === undefined) throw new TypeError('no placement');
    const position = `log-1/threat.samples/0/${event.position.offset}`;
    const { holding: now, findings } = holding(
      { position, submission, region: decision.region, placements: [first, ...others] },
      this.events.filter(({ data }) => data.of === position).map(sampleCopied),
    );
    return { in: now.copies.map(({ site }) => site), owed: owedSites(now, sites), findings };
  }

  #site(name: string): CustodianSite {
    if (this.away.has(name))
      throw new CodedError({ code: 'SITE_UNREACHABLE', message: 'away', remedy: 'retry' });
    return this.wrap(new MemoryCustodianSite(this.store(name)));
  }
}
