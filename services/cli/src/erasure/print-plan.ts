import { defined } from '@residency/defined';
import type { Session } from '../terminal/session.ts';
import { grouped, table } from '../terminal/table.ts';
import type { ErasurePlan, PlanDetails } from './erasure-plan.ts';
import { namedText } from './named.ts';
import type { Named } from './named.ts';

export async function printPlan(
  { output }: Session,
  json: boolean,
  named: Named,
  { digest, samples }: ErasurePlan,
  { regions, intakeUntil }: PlanDetails,
): Promise<void> {
  if (json) {
    for (const region of regions) await output.json(region);
    await output.json({ digest, stored: samples.size, ...defined({ intakeUntil }) });
    return;
  }
  await output.line(
    `${namedText(named)}, ${grouped(samples.size)} stored. Nothing is changed yet.`,
  );
  if (regions.length > 0)
    await output.lines(
      table(
        [
          'region',
          'stored',
          'erased already',
          'on hold',
          'copies',
          'stay in sites out of service',
          'stay in retired sites',
        ],
        regions.map(({ region, stored, erased, held, copies, kept, keptByRetired }) => [
          region,
          stored,
          erased,
          held,
          countsText(copies),
          countsText(kept),
          countsText(keptByRetired),
        ]),
      ),
    );
  if (regions.some(({ keptByRetired }) => Object.keys(keptByRetired).length > 0))
    await output.line('A retired site keeps its copies until its bucket or folder is deleted.');
  for (const { region, accessedUntil } of regions)
    if (accessedUntil !== undefined)
      await output.line(`${region} waits for accesses until ${accessedUntil}.`);
  await output.line(intakeText(intakeUntil));
  await output.line(`To order it, repeat the command with --yes ${digest}`);
}

/** `zrh-1 3, zrh-2 2`. */
function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([site, count]) => `${site} ${grouped(count)}`)
    .join(', ');
}

export function intakeText(until: string | undefined): string {
  if (until === undefined)
    return "The custodian deletes the intake log's copy of each sample with the sample.";
  return until === 'forever'
    ? 'The intake log keeps its copies for ever: its topic has no retention.'
    : `The intake log may keep its copies until ${until}.`;
}
