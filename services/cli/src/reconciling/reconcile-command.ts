import type { Command } from 'commander';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function reconcileCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'reconcile',
    'Compare sites and ledgers with the audit log. Ends with 1 and a list if they differ. Also ends with 1 if a submission is in two regions (ALSO_IN): each placement is lawful by itself, but a person has to find out which country was meant. Use --allow-also-in after that. Copies that a site owes are counted and do not count as differences.',
    ['reconcile', 'reconcile --open --json', 'reconcile --open --report reconciliation.json'],
  )
    .summary('Compare sites and ledgers with the audit log.')
    .option('--allow-also-in', 'submissions in two regions are listed and do not count')
    .option(
      '--open',
      "also open every object with its region's private keys, which is recorded first",
    )
    .option(
      '--report <file>',
      'also write counts, differences, digests and what was not checked, as JSON; a file that does not exist yet',
    )
    .action(answering(session, answer, async () => (await import('./reconcile.ts')).reconcileAll));
}
