import { decodeAuditEvent, objectKey } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { Holdings } from '../system/holdings.ts';
import { whereaboutsText } from '../system/whereabouts.ts';
import { printable } from '../terminal/output.ts';
import { checkRegion } from '../system/policies.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & { readonly region: string };

export async function list(
  session: Session,
  { region, json, ...options }: Options,
): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    await checkRegion(system, region);
    const holdings = await Holdings.open(session, system, new Set([region]));
    if (!json) await session.output.line(row('submission', 'country', 'bytes', 'stored', 'sites'));
    for await (const bytes of system.auditRecords({ outcome: 'stored', region })) {
      checkInterrupted(session);
      const event = decodeAuditEvent(bytes);
      if (event.outcome !== 'stored') continue;
      const { submission, country, sampleBytes } = event.data;
      const at = formatInstant(event.at);
      const where = holdings.whereabouts(event);
      if (json)
        await session.output.json({
          submission,
          key: objectKey(submission),
          country,
          bytes: sampleBytes,
          at,
          ...where,
        });
      else
        await session.output.line(
          row(submission, country, String(sampleBytes), at, whereaboutsText(where)),
        );
    }
    return EXIT.done;
  });
}

function row(
  submission: string,
  country: string,
  bytes: string,
  at: string,
  sites: string,
): string {
  return `${submission.padEnd(64)}  ${country.padEnd(7)}  ${bytes.padStart(8)}  ${at.padEnd(24)}  ${printable(sites)}`;
}
