import { Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe, parseAt } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function whereCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'where',
    "Where samples of a country's users must live, and why; changes nothing. Ends with 1 where a country is unknown, but for --json, whose lines say so.",
    [
      'where CH JP BR',
      'where US --at 2019-06-01 --json',
      'where CH DE RU --policy policy/residency-2.json --at 2027-01-01T00:00:00Z',
      'where US --at 2026-01-31 --as-known',
    ],
  )
    .argument('<cc...>', 'countries, ISO 3166-1 alpha-2, either case')
    .option('--at <instant>', 'RFC 3339, or a date for 00:00Z (default: now)', parseAt)
    .option('--policy <file>', 'ask this document instead of the newest published one')
    .addOption(
      new Option('--as-known', 'ask the version that was in force at that instant').conflicts(
        'policy',
      ),
    )
    .action(answering(session, answer, async () => (await import('./where.ts')).where));
}
