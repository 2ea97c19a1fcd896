import { decodeAuditEvent, objectKey } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkRegion } from '../system/policies.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & { readonly region: string };

export async function list(
  session: Session,
  { region, json, ...where }: Options,
): Promise<ExitCode> {
  return await withSystem(session, where, async (system) => {
    await checkRegion(system, region);
    if (!json) await session.output.line(row('submission', 'country', 'bytes', 'stored'));
    for await (const bytes of system.auditRecords({ outcome: 'stored', region })) {
      checkInterrupted(session);
      const event = decodeAuditEvent(bytes);
      if (event.outcome !== 'stored') continue;
      const { submission, country, sampleBytes } = event.data;
      const at = formatInstant(event.at);
      if (json)
        await session.output.json({
          submission,
          key: objectKey(submission),
          country,
          bytes: sampleBytes,
          at,
        });
      else await session.output.line(row(submission, country, String(sampleBytes), at));
    }
    return EXIT.done;
  });
}

function row(submission: string, country: string, bytes: string, at: string): string {
  return `${submission.padEnd(64)}  ${country.padEnd(7)}  ${bytes.padStart(8)}  ${at}`;
}
