import { randomUUID } from 'node:crypto';
import { CLAIMS_ENDED, CLAIMS_IN_EVENT, hasClaim, serviceOf } from '@residency/contracts';
import { controlOf } from '../system/control-state.ts';
import { record } from '../system/control.ts';
import type { System } from '../system/system.ts';
import type { Session } from '../terminal/session.ts';
import type { PlannedSample } from './loss-plan.ts';

type LostSample = Pick<PlannedSample, 'position' | 'region' | 'submission'>;

/**
 * Ends the claims of lost samples, so that a record that is sent again under their identity is stored
 * anew. While a change of the arbiter is open all of them are named: its claims may have been found
 * before the samples were lost. May be repeated. Returns how many were named.
 */
export async function endClaims(
  session: Session,
  system: System,
  lost: readonly LostSample[],
): Promise<number> {
  const control = await controlOf(system);
  let ended = 0;
  for (const [region, samples = []] of Object.entries(
    Object.groupBy(lost, (sample) => sample.region),
  )) {
    const service = serviceOf(control, region);
    const owners = samples
      .filter((sample) => service.closing !== undefined || hasClaim(service, sample))
      .map(({ position }) => position);
    for (let from = 0; from < owners.length; from += CLAIMS_IN_EVENT)
      await record(session, system, {
        type: CLAIMS_ENDED,
        data: {
          act: randomUUID(),
          region,
          owners: owners.slice(from, from + CLAIMS_IN_EVENT),
        },
      });
    ended += owners.length;
  }
  return ended;
}

/**
 * The positions of those lost samples whose claims stand, also of those in a change that is open. A
 * record that is sent again under their identity is settled as a duplicate of nothing.
 */
export async function standingClaims(
  system: System,
  lost: readonly LostSample[],
): Promise<ReadonlySet<string>> {
  const control = await controlOf(system);
  const standing = new Set<string>();
  for (const [region, samples = []] of Object.entries(
    Object.groupBy(lost, (sample) => sample.region),
  )) {
    const service = serviceOf(control, region);
    const { attempts, ended } = service.closing ?? {};
    const found = new Set([...(attempts?.values() ?? [])].flat(2).map(({ of }) => of));
    for (const sample of samples) {
      const { position } = sample;
      const isInChange = found.has(position) && ended?.has(position) !== true;
      if (isInChange || hasClaim(service, sample)) standing.add(position);
    }
  }
  return standing;
}
