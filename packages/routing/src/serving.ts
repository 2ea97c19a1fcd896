import { serviceOf, sitesInService } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Placeable } from './judge.ts';
import type { Blocked } from './ports/submission-log.ts';
import { RoutingError } from './routing-error.ts';

/**
 * The record with the sites of its region that serve, and with who else owns its identity. Blocked
 * while the region's arbiter changes (docs/decisions/0041).
 */
export function serving(
  placeable: Placeable,
  control: ControlState,
  offset: bigint,
): Placeable | { readonly blocked: Blocked } {
  const { region } = placeable.judged.decision;
  const service = serviceOf(control, region);
  if (service.closing !== undefined) return { blocked: arbiterClosing(region, offset) };
  const sites = sitesInService(service, placeable.sites);
  return {
    ...placeable,
    sites,
    settleWith: Math.min(placeable.settleWith, sites.length),
    ...defined({
      arbiter: service.number === 0 ? undefined : service.number,
      claimed: service.claims.get(placeable.judged.submission),
    }),
  };
}

const CLOSING_POLL_MS = 500;

function arbiterClosing(region: string, offset: bigint): Blocked {
  return {
    offset,
    error: new RoutingError({
      code: 'ARBITER_CLOSING',
      remedy: 'retry',
      message: `Expected region ${region} to have an arbiter, found that \`residency site out\` is changing it. The record waits. If the command has ended, run it again, or end the change with --abort: docs/runbooks/ResidencySiteOut.md.`,
    }),
    retryAfterMs: CLOSING_POLL_MS,
  };
}
