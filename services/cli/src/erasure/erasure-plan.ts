import { ErasureIndex, decodeAuditEvent, sha256 } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { defined } from '@residency/defined';
import { canonicalJson, formatInstant } from '@residency/residency';
import { controlOf } from '../system/control-state.ts';
import { regionSites } from '../system/holdings.ts';
import type { RegionSites } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';
import {
  custodyOf,
  erasableSamples,
  heldBy,
  isErased,
  keptIn,
  regionsOf,
} from './erasable-samples.ts';
import type { Custody, FoundSample } from './erasable-samples.ts';
import { isNamed, requireStored } from './named.ts';
import type { Named } from './named.ts';

/** What an order would do in a region. */
export interface RegionPlan {
  readonly region: string;
  readonly stored: number;
  /** Copies by site, as the logs say. */
  readonly copies: Readonly<Record<string, number>>;
  /** Of them, those in sites that are out of service, which stay there. */
  readonly kept: Readonly<Record<string, number>>;
  /** Those in retired sites, which stay until their owner deletes them. */
  readonly keptByRetired: Readonly<Record<string, number>>;
  readonly held: number;
  readonly erased: number;
  /** The end of the last access that an erasure waits for, RFC 3339. */
  readonly accessedUntil?: string;
}

export interface ErasurePlan {
  /** Identifies what is ordered, and which stored samples it is about. */
  readonly digest: string;
  readonly samples: ReadonlyMap<string, FoundSample>;
}

/** What a person reads before they order it. */
export interface PlanDetails {
  readonly regions: readonly RegionPlan[];
  /** Until when the intake log may keep a copy: RFC 3339 or `forever`; absent: it is deleted with them. */
  readonly intakeUntil?: string;
}

/**
 * Reads the audit log, and changes nothing. `before`: of a consent only what was appended before, in
 * milliseconds. Throws `SUBMISSION_UNKNOWN`.
 */
export async function planErasure(
  session: Session,
  system: System,
  named: Named,
  before: ReadonlyMap<string, number> = new Map(),
  inRegion?: string,
): Promise<ErasurePlan> {
  const samples = await erasableSamples(session, system, isNamed(named, before, inRegion));
  requireStored(named, samples.values(), inRegion);
  const planned = {
    ordered: named,
    before: [...before],
    ...defined({ region: inRegion }),
    stored: [...samples.keys()].toSorted(),
  };
  return { digest: sha256(Buffer.from(canonicalJson(planned))), samples };
}

/** Reads the custody logs of these samples' regions, and the audit log's end. */
export async function planDetails(
  session: Session,
  system: System,
  { samples }: ErasurePlan,
): Promise<PlanDetails> {
  const control = await controlOf(system);
  const holds = new ErasureIndex(control.erasures);
  const custody = await custodyOf(session, system, samples);
  const regions = new Map<string, Counting>();
  const sites = await regionSites(session, system, { control, regions: regionsOf(samples) });
  for (const [position, sample] of samples) {
    const { region } = sample.stored;
    const counting = regions.get(region) ?? new Counting(region);
    regions.set(region, counting);
    counting.add(custody.get(position), {
      held: heldBy(sample, custody.get(position)),
      sites: sites.get(region),
      isHeld: holds.holdOf(sample) !== undefined,
    });
  }
  return {
    regions: [...regions.values()].map((one) => one.plan(session.now())),
    ...defined({ intakeUntil: await intakeUntil(session, system, [...samples.values()]) }),
  };
}

class Counting {
  readonly region: string;
  stored = 0;
  held = 0;
  erased = 0;
  accessedUntil = 0;
  readonly copies = new Map<string, number>();
  readonly kept = new Map<string, number>();
  readonly keptByRetired = new Map<string, number>();

  constructor(region: string) {
    this.region = region;
  }

  add(
    custody: Custody | undefined,
    {
      held,
      sites,
      isHeld,
    }: {
      readonly held: Holding;
      readonly sites: RegionSites | undefined;
      readonly isHeld: boolean;
    },
  ): void {
    this.stored += 1;
    if (isErased(held, sites)) this.erased += 1;
    else if (isHeld) this.held += 1;
    else this.accessedUntil = Math.max(this.accessedUntil, custody?.accessedUntil ?? 0);
    for (const { site } of [...held.copies, ...held.unequal]) count(this.copies, site);
    const kept = keptIn(held, sites);
    for (const site of kept.out) count(this.kept, site);
    for (const site of kept.retired) count(this.keptByRetired, site);
  }

  plan(now: number): RegionPlan {
    const { region, stored, held, erased, accessedUntil } = this;
    return {
      region,
      stored,
      copies: Object.fromEntries(this.copies),
      kept: Object.fromEntries(this.kept),
      keptByRetired: Object.fromEntries(this.keptByRetired),
      held,
      erased,
      ...(accessedUntil > now ? { accessedUntil: formatInstant(accessedUntil) } : {}),
    };
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** 9999-12-31. RFC 3339 has no later one. */
const LAST_INSTANT = 253_402_300_799_999;

/** As `ErasurePlan.intakeUntil`, for these samples. */
export async function intakeUntil(
  session: Pick<Session, 'signal'>,
  system: Pick<System, 'auditRecords' | 'intakeRetention'>,
  samples: readonly Pick<FoundSample, 'at' | 'submission'>[],
): Promise<string | undefined> {
  const retention = await system.intakeRetention();
  if (retention === 0 || samples.length === 0) return undefined;
  const submissions = new Set(samples.map(({ submission }) => submission));
  let newest = samples.reduce((most, { at }) => Math.max(most, at), 0);
  // A record that was sent again later, whatever became of it, has the sample too.
  for await (const bytes of interruptible(session, system.auditRecords({ from: newest }))) {
    const { at, data } = decodeAuditEvent(bytes);
    if (submissions.has(data.submission ?? '')) newest = Math.max(newest, at);
  }
  const until = newest + retention;
  return until > LAST_INSTANT ? 'forever' : formatInstant(until);
}
