import { readPolicy } from '@residency/contracts';
import type { PolicyVersion } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { isAsked } from '../opening/require-data-directory.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { reportProblems } from './policy-problems.ts';
import { judgePublication, nameOf, scheduleJson, scheduleLines } from './publication.ts';
import type { Publication } from './publication.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

export async function check(session: Session, options: Common, file: string): Promise<ExitCode> {
  const version = readPolicy(await readNamed(file, 'the policy'));
  if (await reportProblems(session, options, version)) return EXIT.found;
  if (!(await isAsked(options))) {
    await printResult(session, options, version, undefined);
    return EXIT.done;
  }
  const publication = await withSystem(session, options, async (system) => {
    const judged = judgePublication(await system.policies(), version, session.now());
    // Publishing does not make these, so they must exist.
    if (judged.kind === 'valid') await system.requireRegions(version.document);
    return judged;
  });
  await printResult(session, options, version, publication);
  return publication.kind === 'refused' ? EXIT.found : EXIT.done;
}

async function printResult(
  { output }: Session,
  { json, data, config }: Common,
  version: PolicyVersion,
  publication: Publication | undefined,
): Promise<void> {
  const {
    document: { id, version: number },
    digest,
  } = version;
  if (json)
    await output.json({
      id,
      version: number,
      digest,
      sound: true,
      ...publicationJson(publication),
    });
  else
    await output.lines([
      `${nameOf(version)} (${digest}) is sound: every code has exactly one rule at every instant.`,
      ...publicationLines(version, publication, config ?? data),
    ]);
}

function publicationJson(publication: Publication | undefined): object {
  switch (publication?.kind) {
    case undefined:
      return { publication: 'unknown' };
    case 'published':
      return { publication: 'published' };
    case 'refused':
      return {
        publication: 'refused',
        code: publication.why.code,
        message: publication.why.message,
      };
    case 'valid':
      return { publication: 'valid', ...scheduleJson(publication) };
    default:
      return publication satisfies never;
  }
}

function publicationLines(
  version: PolicyVersion,
  publication: Publication | undefined,
  where: string,
): string[] {
  switch (publication?.kind) {
    case undefined:
      return [
        'Whether `policy publish` would take it is not known: that depends on what is published where it goes. Name that with --data or --config.',
      ];
    case 'published':
      return [`It is published in ${where} already.`];
    case 'refused':
      return [
        `\`policy publish\` would refuse it in ${where}. ${publication.why.message} (${publication.why.code})`,
      ];
    case 'valid':
      return [
        `\`policy publish\` would take it in ${where} now. Then:`,
        ...scheduleLines(nameOf(version), publication),
      ];
    default:
      return publication satisfies never;
  }
}
