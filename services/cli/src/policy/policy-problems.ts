import { checkPolicy } from '@residency/residency';
import type { PolicyVersion } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { nameOf } from './publication.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';

/** Prints the problems of a document alone. Returns true if there are any. */
export async function reportProblems(
  { output }: Session,
  { json }: Pick<Common, 'json'>,
  policy: PolicyVersion,
): Promise<boolean> {
  const problems = checkPolicy(policy.document);
  for (const problem of problems)
    await (json ? output.json(problem) : output.line(`${problem.code}: ${problem.message}`));
  if (problems.length > 0)
    output.note(`${nameOf(policy)} (${policy.digest}) has ${counted(problems.length, 'problem')}.`);
  return problems.length > 0;
}
