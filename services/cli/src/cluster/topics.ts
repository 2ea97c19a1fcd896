import { setTimeout as sleep } from 'node:timers/promises';
import { checkTopics, createTopics, openKafkaLog, topicPlan } from '@residency/adapter-kafka';
import type { TopicDifference } from '@residency/adapter-kafka';
import type { Configuration } from '@residency/configuration';
import { TOPICS, TOPIC_ACCEPTED } from '@residency/contracts';
import type { Common } from '../terminal/command.ts';
import type { AcceptableTopic } from './acceptable-topics.ts';
import { controlEvent } from '../system/control.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { settingsOf } from './settings-command.ts';
import { table } from '../terminal/table.ts';
import { diagnosticsOf } from './cluster.ts';

const KNOWN_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

export async function createAll(session: Session, options: Common): Promise<ExitCode> {
  const sections = ['kafka', 'topics', 'readers', 'projecting'] as const;
  const { kafka, topics, readers, projecting } = await settingsOf(session, options, sections);
  const diagnostics = diagnosticsOf(session);
  const regions = regionsOf(readers);
  const plan = topicPlan({ ...topics, regions });
  const created = new Set(await createTopics(kafka, diagnostics, plan));
  const made = plan.map(({ topic, partitions, replicationFactor }) => ({
    topic: `${kafka.topicPrefix}${topic}`,
    partitions,
    replicationFactor,
    created: created.has(topic),
  }));
  if (options.json) for (const one of made) await session.output.json(one);
  else
    await session.output.lines(
      table(
        ['topic', 'partitions', 'copies', 'state'],
        made.map((one) => [
          one.topic,
          ...(one.created
            ? [one.partitions, one.replicationFactor, 'created']
            : ['', '', 'existed']),
        ]),
      ),
    );
  noteRights(session, kafka, projecting);
  return await report(
    session,
    options,
    await checkMade(() => checkTopics(kafka, diagnostics, regions)),
  );
}

/** A new topic is not known to every broker at once, so the check is repeated. */
async function checkMade(
  check: () => Promise<readonly TopicDifference[]>,
): Promise<readonly TopicDifference[]> {
  const until = performance.now() + KNOWN_WITHIN_MS;
  let found = await check();
  while (found.some(({ setting }) => setting === 'topic') && performance.now() < until) {
    await sleep(LOOK_EVERY_MS);
    found = await check();
  }
  return found;
}

export async function checkAll(session: Session, options: Common): Promise<ExitCode> {
  const sections = ['kafka', 'readers', 'projecting'] as const;
  const { kafka, readers, projecting } = await settingsOf(session, options, sections);
  noteRights(session, kafka, projecting);
  const differences = await checkTopics(kafka, diagnosticsOf(session), regionsOf(readers));
  return await report(session, options, differences);
}

/** A right that services need only as they are configured. */
function noteRights(
  { output }: Session,
  { topicPrefix }: Configuration['kafka'],
  { onWithdrawal }: Configuration['projecting'],
): void {
  if (onWithdrawal === 'erase')
    output.note(
      `RESIDENCY_ON_WITHDRAWAL=erase: the consent projector needs the right to write to ${topicPrefix}${TOPICS.control}.`,
    );
}

/** The regions of the regions file, each once: every region has a custody log. */
function regionsOf(sites: readonly { readonly region: string }[]): readonly string[] {
  return [...new Set(sites.map(({ region }) => region))];
}

/** Ends with 1 if the topic is the one that was settled. */
export async function acceptTopic(
  session: Session,
  { reason, ...options }: Common & { readonly reason: string },
  topic: AcceptableTopic,
): Promise<ExitCode> {
  const { output } = session;
  const { kafka } = await settingsOf(session, options, ['kafka']);
  const log = await openKafkaLog(kafka, diagnosticsOf(session));
  try {
    const replaced = (await log.identity()).find((one) => one.topic === topic)?.replaced ?? [];
    const entries = replaced.map(({ was, is }) =>
      controlEvent(session, { type: TOPIC_ACCEPTED, data: { topic, was, is, reason } }),
    );
    if (entries.length > 0) await log.append(entries);
    if (options.json) await output.json({ topic, accepted: replaced });
    else
      for (const { was, is } of replaced)
        await output.line(`${topic}: ${is} is accepted in place of ${was}`);
    output.note(
      entries.length === 0
        ? `${topic} is not known to be another topic than the one that was settled; nothing was changed.`
        : 'Start what has stopped with LOG_REPLACED again.',
    );
    return entries.length === 0 ? EXIT.found : EXIT.done;
  } finally {
    await log.close();
  }
}

async function report(
  { output }: Session,
  { json }: Common,
  differences: readonly TopicDifference[],
): Promise<ExitCode> {
  if (json) for (const one of differences) await output.json(one);
  else if (differences.length > 0)
    await output.lines(
      table(
        ['topic', 'setting', 'found', 'expected'],
        differences.map(({ topic, setting, found, expected }) => [topic, setting, found, expected]),
      ),
    );
  output.note(
    differences.length === 0
      ? 'All topics are as they must be.'
      : "Change what differs with Kafka's own tools; no service starts before.",
  );
  return differences.length > 0 ? EXIT.found : EXIT.done;
}
