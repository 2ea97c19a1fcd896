import type { Command } from 'commander';
import { answering, describe, group, parseSubmission } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { giveUpCommand } from '../losses/loss-commands.ts';
import { vaultCommands } from '../vault/vault-commands.ts';

export function sampleCommand(program: Command, session: Session, answer: Answer): void {
  const sample = group(
    program,
    'sample',
    'See what a region holds, get samples from a vault, and open them with a key.',
    [
      'sample list --region zurich',
      'sample get --from submissions.txt --purpose detection --reference CASE-4711 --out samples',
    ],
  );
  describe(
    sample,
    'list',
    'What a region holds, and which sites have a copy or owe one, after the audit and custody logs.',
    ['sample list --region zurich', 'sample list --region moscow --json'],
  )
    .requiredOption('--region <region>', 'the region')
    .action(answering(session, answer, async () => (await import('./sample-list.ts')).list));
  vaultCommands(sample, session, answer);
  sampleOpenCommand(sample, session, answer);
  giveUpCommand(sample, session, answer);
}

function sampleOpenCommand(sample: Command, session: Session, answer: Answer): void {
  describe(
    sample,
    'open',
    "Open a sample with its region's private key. That it was done, and by whom, is recorded on residency.control before. The file is a threat sample: open it on a machine made for that.",
    [
      'sample open 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --region zurich --out sample.bin',
    ],
  )
    .argument('<submission>', 'its id', parseSubmission)
    .requiredOption('--region <region>', 'the region that holds it')
    .requiredOption(
      '--out <file>',
      'a file that does not exist yet; made readable by its owner only',
    )
    .action(answering(session, answer, async () => (await import('./sample-open.ts')).openSample));
}
