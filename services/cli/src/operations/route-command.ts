import type { Command } from 'commander';
import { onWithdrawal } from './on-withdrawal.ts';
import { answering, describe, parseWhole } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function routeCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'route',
    'Route everything that waits, print what became of it, and end. `residency start` goes on instead.',
    ['route --once', 'route --once --data /srv/residency --json', 'route --once --retain 30'],
  )
    .requiredOption('--once', 'end when what waited at the start is settled')
    .option(
      '--retain <days>',
      'days to keep the payloads of settled records; older ones are dropped at the end',
      parseWhole(1, 36_500),
      7,
    )
    .addOption(onWithdrawal())
    .action(answering(session, answer, async () => (await import('./route.ts')).routeOnce));
}
