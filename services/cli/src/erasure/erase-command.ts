import type { Command } from 'commander';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { namingOptions } from './naming-options.ts';

const SUBMISSION = '2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd';
const DIGEST = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

export function eraseCommand(program: Command, session: Session, answer: Answer): void {
  namingOptions(
    describe(
      program,
      'erase',
      'Erase stored samples in all sites. Without --yes it changes nothing: it prints what would be erased, what would not, and a digest. With the digest it orders the erasure, for ever, and waits until the custodians have carried it out. A consent must be withdrawn before.',
      [
        'erase --consent consent-0001 --reason "request 4711"',
        `erase --consent consent-0001 --reason "request 4711" --yes ${DIGEST}`,
        `erase --submission ${SUBMISSION} --reason "request 4711"`,
        'erase --from submissions.txt --reason "request 4711" --config cluster.env',
      ],
    ).summary('Erase stored samples in all sites.'),
  )
    .option(
      '--subject <subject>',
      'instead, all samples of all consents that are linked to this subject; the links are removed afterwards. It is recorded nowhere',
    )
    .requiredOption('--reason <text>', 'why; 1 to 200 characters, recorded for ever')
    .option('--yes <digest>', 'order it: the digest of the plan that was printed')
    .option('--no-wait', 'do not wait until it is carried out')
    .action(answering(session, answer, async () => (await import('./erase.ts')).erase));
}
