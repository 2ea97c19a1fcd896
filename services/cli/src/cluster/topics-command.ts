import { Argument } from 'commander';
import type { Command } from 'commander';
import { parseAcceptableTopic } from './acceptable-topics.ts';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function topicsCommand(program: Command, session: Session, answer: Answer): void {
  const topics = group(program, 'topics', "Make and check a cluster's topics.", [
    'topics create --config cluster.env',
    'topics check --config cluster.env',
  ]);
  describe(
    topics,
    'create',
    'Make the topics that are missing, and check all. The custody log of each region in the regions file is one of them. One that exists stays as it is. Ends with 1 where one is not as it must be.',
    ['topics create --config cluster.env'],
  ).action(answering(session, answer, async () => (await import('./topics.ts')).createAll));
  describe(
    topics,
    'check',
    'Name every setting of a topic that is not as it must be. Ends with 1 where there is one.',
    ['topics check --config cluster.env', 'topics check --config cluster.env --json'],
  ).action(answering(session, answer, async () => (await import('./topics.ts')).checkAll));
  describe(
    topics,
    'accept',
    'Accept that a topic was deleted and made again, so that services go on with the new one. The records of the old one are lost. A custody log is restored from its ledger before. Not for the intake and the audit log: a new one of those needs another RESIDENCY_LOG and topic prefix.',
    [
      'topics accept residency.control --reason "deleted by mistake, change 4711" --config cluster.env',
    ],
  )
    .addArgument(new Argument('<topic>', 'without the prefix').argParser(parseAcceptableTopic))
    .requiredOption('--reason <text>', 'kept in the control log; 1 to 200 characters')
    .action(answering(session, answer, async () => (await import('./topics.ts')).acceptTopic));
}
