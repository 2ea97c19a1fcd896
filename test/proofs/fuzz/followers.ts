import { isDeepStrictEqual } from 'node:util';
import { KafkaControlView, KafkaPolicyView } from '@residency/adapter-kafka';
import { hasCode } from '@residency/coded-error';
import { project } from '@residency/consent-projector';
import type { ProjectOptions } from '@residency/consent-projector';
import {
  INITIAL_CONTROL,
  TOPICS,
  decodeAuditEvent,
  followControl,
  formatPosition,
} from '@residency/contracts';
import type { AuditEvent, LogRecord, Topic } from '@residency/contracts';
import { defined } from '@residency/defined';
import { QuarantineReader } from '@residency/exporter';
import type { QuarantineLog } from '@residency/exporter';
import { RecentOutcomes } from '@residency/intake';
import type { DataDirectory } from '@residency/standalone';

type Log = DataDirectory['log'];
type Histories = Awaited<ReturnType<ProjectOptions['projection']['histories']>>['histories'];
type Position = Awaited<ReturnType<ProjectOptions['projection']['position']>>;

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const CHUNK = 1_000;

/**
 * Runs a cluster's followers over the log of a data directory. Returns the differences between each
 * follower and the embedded reader of the same topic.
 */
export async function followersDiffer(data: DataDirectory): Promise<readonly string[]> {
  const [consents, policies, control, outcomes, quarantine] = [
    await consentsAsProjected(data.log),
    await policiesAsFollowed(data.log),
    await controlAsFollowed(data.log),
    await outcomesAsRemembered(data.log),
    await quarantineAsExported(data.log),
  ];
  return Object.entries({ consents, policies, control, outcomes, quarantine }).flatMap(
    ([name, alike]) => (alike ? [] : [`${name}: the cluster's reader says something else`]),
  );
}

/** `residency-consent-projector`: its own projection, page by page. */
async function consentsAsProjected(log: Log): Promise<boolean> {
  const stop = new AbortController();
  const projection = new Projection(log.name);
  let skipped = 0;
  await project({
    projection,
    signal: stop.signal,
    diagnostics: SILENT,
    source: {
      log: log.name,
      topicId: () => Promise.resolve(undefined),
      end: () => log.end(TOPICS.consents),
      batches: async function* batches(from) {
        yield* batchesOf(log, TOPICS.consents, from);
        stop.abort();
      },
    },
    onProgress: (progress) => {
      ({ skipped } = progress);
    },
  });
  const ids = [...projection.kept.keys()];
  if (ids.length === 0 || skipped !== (await log.consentView().skipped())) return false;
  for (let from = 0; from < ids.length; from += CHUNK) {
    const some = ids.slice(from, from + CHUNK);
    const { histories } = await log.consentView().read(some);
    if (!some.every((id) => isDeepStrictEqual(histories.get(id), projection.kept.get(id))))
      return false;
  }
  return true;
}

async function policiesAsFollowed(log: Log): Promise<boolean> {
  const embedded = log.policyView();
  const { versions } = await embedded.read();
  return await following(
    log,
    TOPICS.policy,
    (deps) => new KafkaPolicyView(deps),
    async (view) => {
      const followed = await view.read();
      return (
        isDeepStrictEqual(followed.versions, versions) && view.skipped() === embedded.skipped()
      );
    },
  );
}

async function controlAsFollowed(log: Log): Promise<boolean> {
  let state = INITIAL_CONTROL;
  for await (const record of log.read(TOPICS.control)) state = followControl(state, record);
  return await following(
    log,
    TOPICS.control,
    (deps) => new KafkaControlView(deps),
    async (view) => isDeepStrictEqual(await view.read(), state),
  );
}

type Following = ConstructorParameters<typeof KafkaControlView>[0];

/** Opens a follower over the embedded log and reads it once it has reached the end. */
async function following<View extends { read(): Promise<unknown> }>(
  log: Log,
  topic: Topic,
  open: (deps: Following) => View,
  ask: (view: View) => Promise<boolean>,
): Promise<boolean> {
  const stop = new AbortController();
  const whole = Promise.withResolvers<void>();
  const read: Following['read'] = async function* read(from, until) {
    if (until === 'end') {
      yield* batchesOf(log, topic, from);
      return;
    }
    whole.resolve();
    await new Promise((resolve) => {
      stop.signal.addEventListener('abort', resolve, { once: true });
    });
  };
  const view = open({
    read,
    diagnostics: {
      ...SILENT,
      debug: (_, fields) => {
        whole.reject(fields?.error);
      },
      error: (_, fields) => {
        whole.reject(fields?.error);
      },
    },
    signal: stop.signal,
  });
  try {
    await whole.promise;
    return await ask(view);
  } finally {
    stop.abort();
  }
}

/** The intake's memory: exactly the submissions of readable events, and their latest ones. */
async function outcomesAsRemembered(log: Log): Promise<boolean> {
  const outcomes = new RecentOutcomes();
  const submissions = new Set<string>();
  for await (const { value } of log.read(TOPICS.audit)) {
    outcomes.observe(value ?? Buffer.alloc(0));
    const submission = eventOf(value)?.data.submission;
    if (submission !== undefined) submissions.add(submission);
  }
  for (const submission of submissions)
    if ((await outcomes.find(submission)).state !== 'settled') return false;
  return submissions.size > 0;
}

/** The exporter's count of quarantined records, compared with a simple count. */
async function quarantineAsExported(log: Log): Promise<boolean> {
  const reader = new QuarantineReader({ log: asCluster(log), marginMs: 0 });
  const { byReason } = await reader.read(new AbortController().signal);
  const counted = [...byReason.values()].reduce((sum, count) => sum + count, 0);
  const [waiting, sentAgain] = [new Set<string>(), new Set<string>()];
  const samples = new Set<string>();
  for await (const { offset } of log.read(TOPICS.samples))
    samples.add(formatPosition({ log: log.name, topic: TOPICS.samples, partition: 0, offset }));
  for await (const { value } of log.read(TOPICS.audit)) {
    const event = eventOf(value);
    if (event?.position.log !== log.name) continue;
    if (event.data.redriveOf !== undefined) sentAgain.add(event.data.redriveOf);
    if (event.outcome === 'quarantined' && samples.has(formatPosition(event.position)))
      waiting.add(formatPosition(event.position));
  }
  return counted === waiting.difference(sentAgain).size && waiting.size > 0;
}

/** One partition of a cluster's log, with the operations that the exporter needs. */
function asCluster(log: Log): QuarantineLog {
  const first = async (
    topic: Topic,
    from: bigint,
    found: (record: LogRecord) => boolean,
  ): Promise<LogRecord | undefined> => {
    for await (const record of log.read(topic, { from })) if (found(record)) return record;
    return undefined;
  };
  const start = async (topic: Topic): Promise<bigint> =>
    (await first(topic, 0n, () => true))?.offset ?? (await log.end(topic));
  return {
    name: log.name,
    starts: async (topic) => new Map([[0, await start(topic)]]),
    ends: async (topic) => new Map([[0, await log.end(topic)]]),
    since: async (topic, at) =>
      new Map([
        [
          0,
          (await first(topic, 0n, (record) => record.at >= at))?.offset ?? (await log.end(topic)),
        ],
      ]),
    ahead: async (topic, _, offset) => {
      const record = await first(topic, offset, () => true);
      return record === undefined
        ? { upTo: await log.end(topic) }
        : { first: { offset: record.offset, at: record.at }, upTo: record.offset + 1n };
    },
    readBatches: (topic, { from }) =>
      batchesOf(log, topic, from instanceof Map ? from.get(0) : undefined),
  };
}

async function* batchesOf(
  log: Log,
  topic: Topic,
  from: bigint | undefined,
): AsyncGenerator<readonly LogRecord[]> {
  let batch: LogRecord[] = [];
  for await (const record of log.read(topic, defined({ from }))) {
    batch.push(record);
    if (batch.length < CHUNK) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function eventOf(value: Buffer | null): AuditEvent | undefined {
  try {
    return decodeAuditEvent(value ?? Buffer.alloc(0));
  } catch (error) {
    if (hasCode(error, 'INVALID_AUDIT_EVENT')) return undefined;
    throw error;
  }
}

/** The projection store in memory, for one projector. */
class Projection {
  readonly kept = new Map<string, NonNullable<ReturnType<Histories['get']>>>();
  readonly #log: string;
  #position: Position;

  constructor(log: string) {
    this.#log = log;
  }

  position(): Promise<Position> {
    return Promise.resolve(this.#position);
  }

  histories(ids: readonly string[]): ReturnType<ProjectOptions['projection']['histories']> {
    return Promise.resolve({
      position: this.#position,
      histories: new Map(
        ids.flatMap((id) => {
          const history = this.kept.get(id);
          return history === undefined ? [] : [[id, history] as const];
        }),
      ),
    });
  }

  apply({
    to,
    histories,
  }: Parameters<ProjectOptions['projection']['apply']>[0]): ReturnType<
    ProjectOptions['projection']['apply']
  > {
    for (const [id, history] of histories) this.kept.set(id, history);
    const position = (this.#position = { log: this.#log, generation: 'g', ...to });
    return Promise.resolve({ applied: true, position });
  }
}
