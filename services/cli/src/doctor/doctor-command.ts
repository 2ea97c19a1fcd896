import type { Command } from 'commander';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function doctorCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'doctor',
    'Look at everything a system needs, one line a check: ok, wrong or unknown, what was found and what to do. Changes nothing. Ends with 1 where something is wrong, with 3 where nothing is and something could not be looked at.',
    ['doctor', 'doctor --config cluster.env', 'doctor --config cluster.env --json'],
  ).action(answering(session, answer, async () => (await import('./doctor.ts')).doctor));
}
