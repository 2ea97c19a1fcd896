import { ErasureIndex, hasClaim, sha256 } from '@residency/contracts';
import { defined } from '@residency/defined';
import { canonicalJson, formatInstant } from '@residency/residency';
import { custodyOf, erasableSamples, heldBy, regionsOf } from '../erasure/erasable-samples.ts';
import { intakeUntil } from '../erasure/erasure-plan.ts';
import { isNamed, requireStored } from '../erasure/named.ts';
import { controlOf } from '../system/control-state.ts';
import { regionSites } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import type { Session } from '../terminal/session.ts';

/** A stored sample that is named, as the logs see it. */
export interface PlannedSample {
  readonly submission: string;
  readonly region: string;
  readonly position: string;
  /** Append time T of its record, RFC 3339. */
  readonly stored: string;
  /** `erasure ordered`, `erased` and `lost` ones are not given up. */
  readonly state: 'to be given up' | 'lost' | 'erased' | 'erasure ordered';
  /** Sites that should have a copy, by the logs. */
  readonly copies: readonly string[];
  /** Those of them that are out of service: the order waits for them. */
  readonly out: readonly string[];
  /** Those of them that are retired: the order does not wait for them. */
  readonly retired: readonly string[];
  /** A claim keeps its identity. */
  readonly claimed: boolean;
}

export interface LossPlan {
  /** Identifies what is ordered, and which stored samples it is about. */
  readonly digest: string;
  readonly samples: readonly PlannedSample[];
  /** Until when the intake log may hold a record of them: RFC 3339 or `forever`; absent: it does not. */
  readonly intakeUntil?: string;
}

/** Reads the logs, and changes nothing. Throws `SUBMISSION_UNKNOWN`. */
export async function planLoss(
  session: Session,
  system: System,
  submissions: readonly string[],
  inRegion?: string,
): Promise<LossPlan> {
  const named = { submissions };
  const found = await erasableSamples(session, system, isNamed(named, undefined, inRegion));
  requireStored(named, found.values(), inRegion);
  const control = await controlOf(system);
  const erasures = new ErasureIndex(control.erasures);
  const custody = await custodyOf(session, system, found);
  const regions = await regionSites(session, system, { control, regions: regionsOf(found) });
  const samples = [...found].map(([position, sample]): PlannedSample => {
    const { submission, region, at } = sample;
    const held = heldBy(sample, custody.get(position));
    const service = regions.get(region)?.service;
    const copies = [...held.copies, ...held.unequal].map(({ site }) => site);
    const ordered = erasures.orderOf(sample) === undefined ? 'to be given up' : 'erasure ordered';
    const ended = held.lost === undefined ? ordered : 'lost';
    return {
      submission,
      region,
      position,
      stored: formatInstant(at),
      state: held.erased === undefined ? ended : 'erased',
      copies,
      out: copies.filter((site) => service?.out.has(site) === true && !service.retired.has(site)),
      retired: copies.filter((site) => service?.retired.has(site) === true),
      claimed: service !== undefined && hasClaim(service, { submission, position }),
    };
  });
  const open = samples.filter(({ state }) => state === 'to be given up');
  return {
    // Which samples, and not how far they are: the plan of an order that was interrupted is the same.
    digest: sha256(
      Buffer.from(canonicalJson({ givenUp: submissions, stored: [...found.keys()].toSorted() })),
    ),
    samples,
    ...defined({
      intakeUntil: await intakeUntil(
        session,
        system,
        open.flatMap(({ position }) => found.get(position) ?? []),
      ),
    }),
  };
}
