import { ALL_IN_SERVICE, serviceOf, sitesInService } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Placeable } from './judge.ts';
import type { Blocked } from './ports/submission-log.ts';
import { RoutingError } from './routing-error.ts';
import type { RoutingErrorCode } from './routing-error.ts';
import type { Views } from './views.ts';

/**
 * The record with the sites of its region that serve, and with who else owns its identity. The
 * arbiter is among them also if the record's policy version does not name it yet. Blocked while the
 * region's arbiter changes, or is a site that no policy names (docs/decisions/0041).
 */
export function serving(
  placeable: Placeable,
  control: ControlState,
  offset: bigint,
  { names }: Pick<Views, 'names'>,
): Placeable | { readonly blocked: Blocked } {
  const { region } = placeable.judged.decision;
  const service = serviceOf(control, region);
  if (service === ALL_IN_SERVICE) return placeable;
  const { arbiter, closing, claims, number } = service;
  if (closing !== undefined) return waits('ARBITER_CLOSING', offset, closingText(region));
  if (arbiter !== undefined && !names(arbiter, region))
    return waits('ARBITER_UNKNOWN', offset, unknownText(region, arbiter));
  const sites = sitesInService(service, placeable.sites);
  return {
    ...placeable,
    sites,
    idle: placeable.sites.filter((site) => !sites.includes(site)),
    settleWith: Math.min(placeable.settleWith, sites.length),
    ...defined({
      arbiter: number === 0 ? undefined : number,
      claimed: claims.get(placeable.judged.submission),
    }),
  };
}

const POLL_MS = 500;

function waits(
  code: RoutingErrorCode,
  offset: bigint,
  message: string,
): { readonly blocked: Blocked } {
  const error = new RoutingError({ code, remedy: 'retry', message });
  return { blocked: { offset, error, retryAfterMs: POLL_MS } };
}

function closingText(region: string): string {
  return `Expected region ${region} to have an arbiter, found that \`residency site out\` is changing it. The record waits. If the command has ended, run it again, or end the change with --abort: docs/runbooks/ResidencySiteOut.md.`;
}

function unknownText(region: string, arbiter: string): string {
  return `Expected the arbiter of region ${region} to be a site that a policy names, found that residency.control says ${arbiter}. The record waits. See who wrote that, and name the right one: residency site out ${arbiter} --reason TEXT.`;
}
