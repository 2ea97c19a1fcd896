import { randomUUID } from 'node:crypto';
import { policyEntry, readPolicy } from '@residency/contracts';
import { checkPolicy, invalidPolicies } from '@residency/residency';
import type { PolicyVersion } from '@residency/residency';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { answering, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { readNamed } from '../read-named.ts';
import type { Session } from '../session.ts';
import { counted } from '../table.ts';
import { withSystem } from '../with-system.ts';
import { policyShowCommand } from './policy-show.ts';

export function policyCommand(program: Command, session: Session, answer: Answer): void {
  const policy = group(program, 'policy', 'Check, show and publish policy versions.', [
    'policy check policy/residency-1.json',
    'policy show',
  ]);
  describe(
    policy,
    'check',
    'Name every gap, overlap and unknown code of a policy document. Ends with 1 where there is one.',
    ['policy check policy/residency-1.json', 'policy check draft.json --json'],
  )
    .argument('<file>', 'the document')
    .action(answering(answer, (options: Common, file: string) => check(session, options, file)));
  policyShowCommand(policy, session, answer);
  describe(
    policy,
    'publish',
    "Publish a version: checks it, makes its regions' keys and sites (on a cluster: demands them), appends it.",
    [
      'policy publish policy/residency-2.json',
      'policy publish policy/residency-1.json --config cluster.env',
    ],
  )
    .argument('<file>', 'the document')
    .action(answering(answer, (options: Common, file: string) => publish(session, options, file)));
}

async function check(session: Session, options: Common, file: string): Promise<ExitCode> {
  const policy = readPolicy(await readNamed(file, 'the policy'));
  return (await reportProblems(session, options, policy)) ? EXIT.found : EXIT.done;
}

async function reportProblems(
  { output }: Session,
  { json }: Common,
  { document, digest }: PolicyVersion,
): Promise<boolean> {
  const problems = checkPolicy(document);
  for (const problem of problems)
    await (json ? output.json(problem) : output.line(`${problem.code}: ${problem.message}`));
  const name = `${document.id}/${document.version} (${digest})`;
  output.note(
    problems.length === 0
      ? `${name} is sound: every code has exactly one rule at every instant.`
      : `${name} has ${counted(problems.length, 'problem')}.`,
  );
  return problems.length > 0;
}

async function publish(session: Session, options: Common, file: string): Promise<ExitCode> {
  const version = readPolicy(await readNamed(file, 'the policy'));
  const { document, digest } = version;
  if (checkPolicy(document).length > 0) {
    await reportProblems(session, options, version);
    return EXIT.found;
  }
  return await withSystem(session, options, async (system) => {
    const before = await system.policies();
    const repeated = before.some((one) => one.digest === digest);
    if (!repeated) {
      // Judged as every reader will judge it, as if it were appended now.
      refuseInvalid([...before, { document, digest, appendedAt: session.now() }], digest);
      await system.prepare(document);
      await system.append([policyEntry(document, randomUUID())]);
      refuseInvalid(await system.policies(), digest);
    }
    const { id, version: number, effectiveFrom } = document;
    if (options.json)
      await session.output.json({
        id,
        version: number,
        digest,
        effectiveFrom,
        published: !repeated,
      });
    else
      await session.output.line(
        repeated
          ? `${id}/${number} was published already; nothing changed.`
          : `${id}/${number} is published and in force from ${effectiveFrom}.`,
      );
    return EXIT.done;
  });
}

function refuseInvalid(published: Parameters<typeof invalidPolicies>[0], digest: string): void {
  const invalid = invalidPolicies(published).find(({ published: one }) => one.digest === digest);
  if (invalid !== undefined)
    throw new CliError({
      code: 'POLICY_REFUSED',
      message: `${invalid.message} (${invalid.code})`,
      remedy: 'stop',
    });
}
