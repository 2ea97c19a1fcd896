import type { Command } from 'commander';
import { VERDICTS } from '@residency/contracts/vocabulary';
import { Option } from 'commander';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import { intakeOptions } from './intake-options.ts';
import type { Session } from '../terminal/session.ts';

export function publishCommand(program: Command, session: Session, answer: Answer): void {
  const command = describe(
    program,
    'publish',
    "Publish files, and folders recursively, as submissions; the router judges them. Source and id name a submission for ever. The id is made of the file's real path and content, neither of country nor of consent: the same file published again is the same submission. A file that was published from here with another country or consent is refused, because it would stand in both countries' regions; ends with 1 then.",
    [
      'publish sample.bin --country CH --consent consent-0001',
      'publish ./quarantine-folder --country JP --consent consent-0001 --verdict malicious --json',
      'publish sample.bin --country CH --consent consent-0001 --id case-4711',
      'publish sample.bin --country CH --consent consent-0001 --url http://127.0.0.1:8080 --token-file token.txt',
    ],
  )
    .summary('Publish files, and folders recursively, as submissions; the router judges them.')
    .argument(
      '<path...>',
      'files and folders; links, special files and data directories are skipped',
    )
    .requiredOption(
      '--country <cc>',
      "the user's country, ISO 3166-1 alpha-2; sent as given, without control characters",
    )
    .requiredOption('--consent <id>', 'the consent it was shared under')
    .addOption(
      new Option('--verdict <verdict>', 'what the product says of the sample')
        .choices(VERDICTS)
        .default('suspicious'),
    )
    .option('--source <uri>', 'CloudEvents source', 'urn:residency:cli')
    .option(
      '--id <id>',
      "CloudEvents id of a single file (default: hex SHA-256 over its real path and its content's SHA-256)",
    )
    .option(
      '--again',
      'publish also what was published from here before with another country or consent',
    );
  intakeOptions(command).action(
    answering(session, answer, async () => (await import('./publish.ts')).publish),
  );
}
