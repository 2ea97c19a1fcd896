import { Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe, parseAt } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

const ACT = '3f0c2c51-9d0b-4c7e-8a25-6b1f0f1f9a10';

/** `audit erasures`. */
export function erasuresCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'erasures',
    'What was ordered to be erased, by whom and why, and what became of it in each region. With --receipt: proofs of one order for the person who asked for it.',
    [
      'audit erasures --from 2026-01-01 --to 2026-02-01',
      'audit erasures --reason "request 4711" --format csv',
      `audit erasures --order ${ACT} --samples`,
      `audit erasures --order ${ACT} --receipt receipts`,
    ],
  )
    .option('--from <instant>', 'when it was ordered, inclusive; RFC 3339 or a date', parseAt)
    .option('--to <instant>', 'when it was ordered, exclusive', parseAt)
    .option('--order <id>', 'only this order')
    .option('--reason <text>', 'only orders whose reason has this text')
    .addOption(
      new Option('--format <format>', 'a table, RFC 4180 with a header, or as --json')
        .choices(['table', 'csv', 'json'])
        .default('table'),
    )
    .option('--samples', 'each sample instead, with the sites that erased it')
    .option(
      '--receipt <dir>',
      'with --order: write a receipt for each erasure that the custody logs record, and a page in plain words, into this folder',
    )
    .action(
      answering(session, answer, async () => (await import('./list-erasures.ts')).listErasures),
    );
}
