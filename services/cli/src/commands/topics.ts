import type { Command } from 'commander';
import { answering, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import type { Session } from '../session.ts';

export function topicsCommand(program: Command, session: Session, answer: Answer): void {
  const topics = group(program, 'topics', "Make and check a cluster's topics.", [
    'topics create --config cluster.env',
    'topics check --config cluster.env',
  ]);
  describe(
    topics,
    'create',
    'Make the topics that are missing, and check all. One that exists stays as it is. Ends with 1 where one is not as it must be.',
    ['topics create --config cluster.env'],
  ).action(
    answering(answer, async (options: Common) => (await cluster()).createAll(session, options)),
  );
  describe(
    topics,
    'check',
    'Name every setting of a topic that is not as it must be. Ends with 1 where there is one.',
    ['topics check --config cluster.env', 'topics check --config cluster.env --json'],
  ).action(
    answering(answer, async (options: Common) => (await cluster()).checkAll(session, options)),
  );
}

/** Loaded only where it is asked for: Kafka's client comes with it. */
const cluster = () => import('../cluster/topics.ts');
