import type { Command } from 'commander';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function clockCommand(program: Command, session: Session, answer: Answer): void {
  const clock = group(program, 'clock', "Say that this machine's clock is right.", [
    'clock accept --data /srv/residency',
  ]);
  describe(
    clock,
    'accept',
    "Go on with this machine's clock although it is far ahead of the log (CLOCK_AHEAD), as after a month without an append. It can not be taken back: append times never go back. Look at the clock first.",
    ['clock accept', 'clock accept --data /srv/residency'],
  )
    .summary("Go on with this machine's clock although it is far ahead of the log (CLOCK_AHEAD).")
    .action(answering(session, answer, async () => (await import('./clock.ts')).accept));
}
