import { SECTIONS } from '@residency/configuration/section';
import type { Section } from '@residency/configuration';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function configCommand(program: Command, session: Session, answer: Answer): void {
  const config = group(program, 'config', "Look at a cluster's settings.", [
    'config check --config cluster.env',
  ]);
  describe(
    config,
    'check',
    'Every setting, where it comes from and what is wrong; secrets only as `set`. Prints the id of the cluster, and compares the regions file with the policies. Ends with 1 if something is wrong.',
    [
      'config check --config cluster.env',
      'config check --config cluster.env --section kafka --section topics --json',
    ],
  )
    .option(
      '--section <name>',
      `only this part; may be said several times (${SECTIONS.join(', ')})`,
      section,
    )
    .action(answering(session, answer, async () => (await import('./config.ts')).check));
}

function section(text: string, earlier: readonly Section[] = []): readonly Section[] {
  const known = SECTIONS.find((one) => one === text);
  if (known === undefined)
    throw new InvalidArgumentError(`Expected one of ${SECTIONS.join(', ')}.`);
  return [...earlier, known];
}
