import { adjudicate, whatIf } from '@residency/auditing';
import type { Adjudication, Period, WhatIf } from '@residency/auditing';
import { readPolicy } from '@residency/contracts';
import { defined } from '@residency/defined';
import { checkPolicy, formatInstant, parseInstant } from '@residency/residency';
import type { PolicyVersion } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { withScratch } from '../terminal/file-scratch.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { printable } from '../terminal/output.ts';
import { periodOf } from '../system/period.ts';
import { startProgress } from '../terminal/progress.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { bytesText, counted, grouped, table } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & Period & { readonly policy?: string };

export async function adjudicateLog(session: Session, options: Options): Promise<ExitCode> {
  return await withSystem(session, options, (system) =>
    options.policy === undefined
      ? again(session, options, system)
      : propose(session, options, options.policy, system),
  );
}

async function again(
  session: Session,
  { json, ...options }: Options,
  system: System,
): Promise<ExitCode> {
  const period = periodOf(options);
  const report = await withProgress(session, (onProgress) =>
    withScratch((scratch) =>
      adjudicate(
        {
          records: () => interruptible(session, auditLog(system, period)),
          policies: () => system.policies(),
          consents: () => interruptible(session, system.consentLog()),
          control: () => interruptible(session, system.controlLog()),
          scratch: { claims: scratch('claims'), consents: scratch('consents') },
        },
        { ...period, onProgress },
      ),
    ),
  );
  await (json ? writeJson(session, report) : writeText(session, report));
  return report.differences.total > 0 ? EXIT.found : EXIT.done;
}

async function propose(
  session: Session,
  { json, ...options }: Options,
  file: string,
  system: System,
): Promise<ExitCode> {
  const period = periodOf(options);
  const policy = readPolicy(await readNamed(file, 'the policy'));
  const found = await withProgress(session, (onProgress) =>
    whatIf(interruptible(session, auditLog(system, period)), policy, effectiveFrom(policy), {
      ...period,
      onProgress,
    }),
  );
  await (json ? writeMovesJson(session, policy, found) : writeMoves(session, policy, found));
  return EXIT.done;
}

/** Throws `UNSOUND`: a policy with a gap would be asked in vain. */
function effectiveFrom({ document }: PolicyVersion): number {
  const problems = checkPolicy(document);
  const at = parseInstant(document.effectiveFrom);
  if (problems.length > 0 || at === undefined)
    throw new CliError({
      code: 'UNSOUND',
      message: `Expected a sound policy, found ${counted(problems.length, 'problem')}; \`residency policy check\` names them.`,
      remedy: 'stop',
    });
  return at;
}

function auditLog(system: System, { from }: Period): ReturnType<System['auditLog']> {
  return system.auditLog(defined({ from }));
}

async function withProgress<T>(
  session: Session,
  work: (onProgress: (done: number) => void) => Promise<T>,
): Promise<T> {
  const progress = startProgress(session, 'Reading the audit log');
  try {
    return await work((done) => {
      progress.update(done);
    });
  } finally {
    progress.stop();
  }
}

async function writeJson(
  { output }: Session,
  { differences, ...counts }: Adjudication,
): Promise<void> {
  for (const difference of differences.list) await output.json(difference);
  await output.json({ ...counts, differences: differences.total, byCode: differences.byCode });
}

async function writeText(
  { output }: Session,
  { differences, notRedecidable, ...counts }: Adjudication,
): Promise<void> {
  for (const { code, position, found, expected } of differences.list)
    await output.line(
      `${code}  ${printable(position)}  says ${printable(found)}; decided again: ${printable(expected)}`,
    );
  if (differences.total > differences.list.length)
    await output.line(`and ${grouped(differences.total - differences.list.length)} more`);
  await output.lines(
    table(
      ['', 'count'],
      [
        ['events', counts.events],
        ['regions decided again', counts.regionsDecided],
        ['consents decided again', counts.consentsDecided],
        ['conflicts compared with their owners', counts.conflictsCompared],
        ['refused as erased', counts.erasures.total],
        ['of them compared with the order', counts.erasures.compared],
        ...Object.entries(notRedecidable.byReason).map(([reason, count]) => [
          `not re-decidable from the audit log: ${reason}`,
          count,
        ]),
        ['consent records that every view passes over', counts.consentRecordsSkipped],
        ['differences', differences.total],
      ],
    ),
  );
  if (notRedecidable.total > 0)
    output.note(
      'Not re-decidable: what the intake record showed, before consent and country were looked at, is not in its event. Of COUNTRY_UNKNOWN only the consent is decided again.',
    );
}

async function writeMovesJson(
  { output }: Session,
  { document: { id, version }, digest }: PolicyVersion,
  { moves, at, ...counts }: WhatIf,
): Promise<void> {
  for (const move of moves) await output.json(move);
  await output.json({ policy: { id, version, digest }, at: formatInstant(at), ...counts });
}

async function writeMoves(
  { output }: Session,
  { document: { id, version }, digest }: PolicyVersion,
  { moves, at, stored, moved, movedBytes }: WhatIf,
): Promise<void> {
  await output.line(`${id}/${version} (${digest}), asked for ${formatInstant(at)}`);
  if (moves.length > 0)
    await output.lines(
      table(
        ['country', 'stands in', 'would be placed in', 'samples', 'bytes'],
        moves.map((move) => [
          printable(move.country),
          printable(move.from),
          move.to ?? '(nowhere: quarantined)',
          move.samples,
          bytesText(move.bytes),
        ]),
      ),
    );
  await output.line(
    `${grouped(moved)} of ${counted(stored, 'stored sample')} would be placed elsewhere, ${bytesText(movedBytes)}. Nothing was moved.`,
  );
}
