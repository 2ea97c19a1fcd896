import { Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe, parseSubmission, parseWhole } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { VERDICTS } from '@residency/contracts/vocabulary';
import { periodOptions } from '../system/period-options.ts';
import {
  PURPOSE_HELP,
  REFERENCE_HELP,
  formOption,
  parseAccess,
  parseCountry,
  parseDigest,
  parsePositionText,
  parsePurpose,
  vaultOptions,
} from './vault-options.ts';

const SUBMISSION = '2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd';
const ACCESS = '019e34c6-0b5e-7a1f-8c2d-3e4f5a6b7c8d';

/** The commands that ask a vault, which records who had a sample and what for. */
export function vaultCommands(sample: Command, session: Session, answer: Answer): void {
  requestCommand(sample, session, answer);
  vaultOptions(
    describe(
      sample,
      'approve',
      "Approve somebody else's access. A purpose says who may, and how many must. Ends with 1 if it is refused.",
      [
        `sample approve ${ACCESS}`,
        `sample approve ${ACCESS} --region zurich --token-file token.txt`,
      ],
    ),
  )
    .argument('<access>', 'its id', parseAccess)
    .action(
      answering(session, answer, async () => (await import('./approve-access.ts')).approveAccess),
    );
  getCommand(sample, session, answer);
  searchCommand(sample, session, answer);
}

function searchCommand(sample: Command, session: Session, answer: Answer): void {
  periodOptions(
    vaultOptions(
      describe(
        sample,
        'search',
        'List the samples of a region that a vault has stored: a submission a line, as `sample get --from` takes them. Samples that are erased, or are to be, are left out; --json lists them too. Searches are counted, and limited by the purposes file. Ends with 1 if the vault refuses.',
        [
          'sample search --purpose detection --country CH --region zurich > submissions.txt',
          'sample search --purpose detection --from 2026-11-01 --verdict malicious --limit 50 --json',
        ],
      ).summary('List the samples of a region that a vault has stored.'),
    )
      .requiredOption('--purpose <purpose>', PURPOSE_HELP, parsePurpose)
      .option('--country <code>', "the user's country, two capital letters", parseCountry)
      .addOption(new Option('--verdict <verdict>', 'what the product said').choices(VERDICTS))
      .option('--sample-sha256 <digest>', 'of the sample in the clear', parseDigest)
      .option('--limit <n>', 'end after so many (default: all)', parseWhole(1, 100_000_000))
      .option(
        '--after <position>',
        'go on where another search ended, as it says',
        parsePositionText,
      ),
  ).action(
    answering(session, answer, async () => (await import('./search-samples.ts')).searchSamples),
  );
}

function requestCommand(sample: Command, session: Session, answer: Answer): void {
  vaultOptions(
    describe(
      sample,
      'request',
      'Ask a vault for a sample, without getting it yet: for a purpose whose accesses others must approve. What was asked for is recorded for ever. Ends with 1 if it is refused.',
      [
        `sample request ${SUBMISSION} --purpose detection --reference CASE-4711`,
        `sample request ${SUBMISSION} --purpose third-party-request --reference CASE-4711 --form raw --region zurich --token-file token.txt`,
      ],
    ),
  )
    .argument('<submission>', 'its id', parseSubmission)
    .requiredOption('--purpose <purpose>', PURPOSE_HELP, parsePurpose)
    .requiredOption('--reference <text>', REFERENCE_HELP)
    .addOption(formOption())
    .option(
      '--of <position>',
      'the position of the event that stored it, if it was stored more than once',
      parsePositionText,
    )
    .option(
      '--access <uuid>',
      'the id of the access, a UUID of version 7, to repeat one (default: a new one)',
      parseAccess,
    )
    .action(
      answering(session, answer, async () => (await import('./request-access.ts')).requestAccess),
    );
}

function getCommand(sample: Command, session: Session, answer: Answer): void {
  vaultOptions(
    describe(
      sample,
      'get',
      'Get samples from a vault, each as a file in a folder. Who had which sample, and what for, is recorded for ever, before the first byte. A repeated command is the same access: it gets what is not saved yet. Ends with 1 if a sample is refused or waits for approvals. Files are threat samples: get them on a machine made for that.',
      [
        `sample get ${SUBMISSION} --purpose detection --reference CASE-4711 --out samples`,
        'sample get --from submissions.txt --purpose detection --reference CASE-4711 --out samples --json',
        `sample get --access ${ACCESS} --out samples --region zurich`,
      ],
    ).summary('Get samples from a vault, each as a file in a folder.'),
  )
    .argument('[submission...]', 'their ids')
    .option('--from <list>', 'a file with one submission a line, of any length; -: standard input')
    .option(
      '--access <uuid>',
      'instead, the sample of this access, once it is approved',
      parseAccess,
    )
    .option('--purpose <purpose>', PURPOSE_HELP, parsePurpose)
    .option('--reference <text>', REFERENCE_HELP)
    .addOption(formOption())
    .requiredOption(
      '--out <dir>',
      'the folder; made if it is missing. Each file is named after the SHA-256 of its sample, readable by its owner only; nothing is overwritten',
    )
    .option('--again', 'ask anew for what was refused, or whose access is over')
    .action(answering(session, answer, async () => (await import('./get-samples.ts')).getSamples));
}
