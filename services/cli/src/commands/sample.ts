import { decodeAuditEvent, objectKey } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import type { Command } from 'commander';
import { answering, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { checkRegion } from '../policies.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import { withSystem } from '../with-system.ts';
import { sampleOpenCommand } from './sample-open.ts';

type Options = Common & { readonly region: string };

export function sampleCommand(program: Command, session: Session, answer: Answer): void {
  const sample = group(program, 'sample', 'See what a region holds, and open samples inside it.', [
    'sample list --region zurich',
  ]);
  describe(sample, 'list', 'What a region holds, after the audit log.', [
    'sample list --region zurich',
    'sample list --region moscow --json',
  ])
    .requiredOption('--region <region>', 'the region')
    .action(answering(answer, (options: Options) => list(session, options)));
  sampleOpenCommand(sample, session, answer);
}

async function list(session: Session, { region, json, ...where }: Options): Promise<ExitCode> {
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
