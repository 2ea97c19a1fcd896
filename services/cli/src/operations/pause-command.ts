import type { Command } from 'commander';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function pauseCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'pause',
    'Routers settle nothing more until `residency resume`, also across restarts. What they have in hand settles, the intake goes on taking: what it takes waits.',
    [
      'pause --reason "zrh-1 is moved to other disks" --config cluster.env',
      'pause --reason "looking into a wrong placement"',
    ],
  )
    .summary('Routers settle nothing more until `residency resume`, also across restarts.')
    .requiredOption(
      '--reason <text>',
      'the reason, for other operators; 1 to 200 characters, nothing personal: it is kept',
    )
    .action(answering(session, answer, async () => (await import('./pause.ts')).pause));
}

export function resumeCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'resume',
    'End a pause or a draining: routers settle and the intake takes submissions again.',
    ['resume --config cluster.env', 'resume'],
  ).action(answering(session, answer, async () => (await import('./pause.ts')).resume));
}
