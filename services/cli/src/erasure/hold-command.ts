import type { Command } from 'commander';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { namingOptions } from './naming-options.ts';

const ACT = '3f0c2c51-9d0b-4c7e-8a25-6b1f0f1f9a10';
const REASON = 'why; 1 to 200 characters, recorded for ever';

export function holdCommand(program: Command, session: Session, answer: Answer): void {
  const hold = group(
    program,
    'hold',
    'Keep samples from being erased, for as long as a hold is open.',
    ['hold place --consent consent-0001 --reason "case 4711"', 'hold list'],
  );
  namingOptions(
    describe(
      hold,
      'place',
      'Keep stored samples from being erased until the hold is lifted, whatever is ordered.',
      [
        'hold place --consent consent-0001 --reason "case 4711"',
        'hold place --from submissions.txt --reason "case 4711" --config cluster.env',
      ],
    ),
  )
    .requiredOption('--reason <text>', REASON)
    .action(answering(session, answer, async () => (await import('./place-hold.ts')).placeHold));
  describe(hold, 'lift', 'End a hold. What was ordered to be erased meanwhile is erased then.', [
    `hold lift ${ACT} --reason "case 4711 is closed"`,
  ])
    .argument('<hold>', 'its id, from `hold list`')
    .requiredOption('--reason <text>', REASON)
    .action(answering(session, answer, async () => (await import('./lift-hold.ts')).liftHold));
  describe(hold, 'list', 'List the holds: who placed them, why, and when they were lifted.', [
    'hold list',
    'hold list --json --config cluster.env',
  ]).action(answering(session, answer, async () => (await import('./list-holds.ts')).listHolds));
}
