import { Option } from 'commander';
import type { Command } from 'commander';
import { onWithdrawal } from './on-withdrawal.ts';
import { answering, describe, parseWhole } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function startCommand(program: Command, session: Session, answer: Answer): void {
  describe(program, 'start', 'Run intake and router in this process until SIGTERM or Ctrl-C.', [
    'start',
    'start --port 9000 --data /srv/residency --checkpoints /var/lib/residency-checkpoints --retain 30',
    'start --host 0.0.0.0 --tokens tokens.json',
  ])
    .option(
      '--host <address>',
      'where to listen; anything but loopback needs --tokens',
      '127.0.0.1',
    )
    .addOption(
      new Option('--port <port>', '0: any free one')
        .env('RESIDENCY_PORT')
        .default(8080)
        .argParser(parseWhole(0, 65_535)),
    )
    .option(
      '--examples',
      'route the examples where the log has no submission yet (default: with the default data directory)',
    )
    .option('--no-examples', 'leave the examples out')
    .option(
      '--retain <days>',
      'days to keep the payloads of settled records',
      parseWhole(1, 36_500),
      7,
    )
    .addOption(onWithdrawal())
    .option(
      '--tokens <file>',
      'JSON: [{"token" or "sha256": "...", "scopes": ["submissions", "consents"]}]',
    )
    .action(answering(session, answer, async () => (await import('./start.ts')).start));
}
