import type { Command } from 'commander';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function keysCommand(program: Command, session: Session, answer: Answer): void {
  const keys = group(program, 'keys', "See and rotate the regions' keys.", [
    'keys list',
    'keys add --region zurich',
  ]);
  describe(
    keys,
    'list',
    'All keys; of each region the newest that is not retired seals, and every one opens.',
    ['keys list', 'keys list --json'],
  ).action(answering(session, answer, async () => (await import('./keys.ts')).list));
  describe(
    keys,
    'add',
    'Add a key; from now on it seals. Recorded on residency.control before it is made.',
    ['keys add --region zurich'],
  )
    .requiredOption('--region <region>', 'the region')
    .action(answering(session, answer, async () => (await import('./keys.ts')).add));
  describe(
    keys,
    'retire',
    'Retire a key: it seals no more, and still opens what it sealed. Recorded on residency.control before.',
    ['keys retire zurich-20260131T120000000Z-0123abcd'],
  )
    .argument('<key>', 'its id')
    .action(answering(session, answer, async () => (await import('./keys.ts')).retire));
}
