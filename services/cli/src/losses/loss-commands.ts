import type { Command } from 'commander';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

const SUBMISSION = '2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd';
const DIGEST = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const ACT = '3f0c2c51-9d0b-4c7e-8a25-6b1f0f1f9a10';

/** `sample give-up`. */
export function giveUpCommand(sample: Command, session: Session, answer: Answer): void {
  describe(
    sample,
    'give-up',
    "Give up stored samples that have no good copy in any site. Without --yes it changes nothing: it prints the samples and a digest. With the digest it orders it, waits until the region's custodian has read every site, and prints what came of each sample. What a site has is not given up; while a site does not answer or is out of service, the order waits.",
    [
      `sample give-up --submission ${SUBMISSION} --reason "zrh-1 burned"`,
      `sample give-up --order ${ACT} --reason "zrh-1 burned" --config cluster.env`,
      `sample give-up --order ${ACT} --reason "zrh-1 burned" --yes ${DIGEST}`,
    ],
  )
    .option('--submission <id...>', 'the samples of these submissions')
    .option('--from <list>', 'instead, a file with one submission a line; -: standard input')
    .option(
      '--order <id>',
      'instead, every sample that this repair found without a good copy (site repairs --report)',
    )
    .option('--region <region>', 'only what is stored in this region')
    .requiredOption('--reason <text>', 'why; 1 to 200 characters, recorded for ever')
    .option('--yes <digest>', 'order it: the digest of the plan that was printed')
    .option('--no-wait', 'do not wait until it is carried out')
    .action(answering(session, answer, async () => (await import('./give-up.ts')).giveUp));
}

/** `audit losses`. */
export function lossesCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'losses',
    'The orders to give samples up, and what became of each sample: lost, why not, or that it waits. If the claim of a lost sample stands, repeat sample give-up.',
    ['audit losses', `audit losses --order ${ACT} --json`],
  )
    .option('--order <id>', 'only this order')
    .action(answering(session, answer, async () => (await import('./list-losses.ts')).listLosses));
}
