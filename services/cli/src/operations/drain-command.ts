import type { Command } from 'commander';
import { answering, describe, parseWhole } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function drainCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'drain',
    'The intake refuses submissions (503, publishers keep them) and routers settle what is there; ends once nothing waits, found so twice. Who publishes to Kafka directly is not stopped: stop those first. The intake stays draining until `residency resume`. Ends with 1 where --timeout ran out.',
    [
      'drain --reason "Kafka is upgraded" --config cluster.env',
      'drain --reason "the machine is moved" --timeout 600',
    ],
  )
    .summary(
      'Refuse submissions at the intake and wait until everything is settled; `resume` ends it.',
    )
    .requiredOption(
      '--reason <text>',
      'the reason, for other operators; 1 to 200 characters, nothing personal: it is kept',
    )
    .option(
      '--timeout <seconds>',
      'how long to wait (default: as long as it takes)',
      parseWhole(1, 604_800),
    )
    .action(answering(session, answer, async () => (await import('./drain.ts')).drain));
}
