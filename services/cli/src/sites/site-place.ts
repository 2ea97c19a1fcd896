import { serviceOf, sitesInService } from '@residency/contracts';
import type { RegionService } from '@residency/contracts';
import { policyInForce } from '@residency/residency';
import { controlOf } from '../system/control-state.ts';
import type { System } from '../system/system.ts';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';

/** A site's region, and which sites of it serve now. */
export interface Place {
  readonly region: string;
  readonly service: RegionService;
  /** The arbiter first. */
  readonly serving: readonly string[];
}

/** A site counts also if no policy names it and an order made it the arbiter: it can be taken out. */
export async function placeOf(session: Session, system: System, site: string): Promise<Place> {
  const inForce = policyInForce(await system.policies(), session.now());
  const control = await controlOf(system);
  const regions = inForce?.document.regions ?? [];
  const found = regions.find(
    ({ id, sites }) => sites.includes(site) || serviceOf(control, id).arbiter === site,
  );
  if (found === undefined)
    throw usage(
      `Expected a site that the policy in force names (${regions.flatMap(({ sites }) => sites).join(', ')}), found ${printable(site)}; nothing was changed. Name one of them.`,
    );
  const service = serviceOf(control, found.id);
  return { region: found.id, service, serving: sitesInService(service, found.sites) };
}

export function changing(region: string, site: string): CliError {
  return new CliError({
    code: 'ARBITER_CHANGING',
    remedy: 'retry',
    message: `Expected no other change of the arbiter of ${region}, found one that takes ${site} out. See \`residency audit list --control\`; finish it with \`residency site out ${site} --reason TEXT\`, or end it with \`residency site out ${site} --abort\`.`,
  });
}

/** Tells the person at the terminal what was done and which sites serve now. `more`: for `--json`. */
export async function said(
  { output }: Session,
  { json }: Common,
  { region, service, serving }: Place,
  sentence: string,
  more: object = {},
): Promise<ExitCode> {
  await (json
    ? output.json({
        region,
        serving,
        out: [...service.out.keys()],
        arbiterChanges: service.number,
        ...more,
      })
    : output.line(sentence));
  return EXIT.done;
}
