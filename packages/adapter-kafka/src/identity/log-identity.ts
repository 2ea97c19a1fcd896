import { TOPICS, regionOfCustody } from '@residency/contracts';
import type { CustodyTopic, Topic } from '@residency/contracts';
import { hasCode } from '@residency/coded-error';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { AcceptedReplacement } from './accepted.ts';
import type { TopicIds } from './topic-ids.ts';

/**
 * Whether a topic is the one that was settled. `unsettled`: nothing was settled yet. `unknown`: the
 * settled events do not contain its id, or reading them is not permitted.
 */
export interface TopicIdentity {
  readonly topic: Topic;
  readonly state: 'same' | 'replaced' | 'unsettled' | 'unknown';
  /** For a replaced topic: the expected and the found value. */
  readonly found?: string;
  /** Each expected id, and the current one; absent if no id was expected. */
  readonly replaced?: readonly Omit<AcceptedReplacement, 'topic'>[];
}

/** The contents of a partition's last audit event: the topics' ids, and its intake record. */
export interface SettledTopics {
  readonly partition: number;
  readonly ids?: TopicIds;
  /** The difference between the event and the intake record now at its offset. */
  readonly difference?: string;
  /** True if the record exists and was compared. */
  readonly compared: boolean;
}

export interface LogIdentityDeps {
  /** The current ids of `TOPICS` and these. `undefined`: the brokers do not support topic ids. */
  readonly ids: (custody: Iterable<CustodyTopic>) => Promise<TopicIds | undefined>;
  /**
   * The contents of the last audit event of each partition that has one. Throws
   * `KAFKA_AUTHORIZATION` if the audit log may not be read.
   */
  readonly settled: () => Promise<readonly SettledTopics[]>;
  /** Replacements that a person accepted. Called only if an id is not the expected one. */
  readonly accepted: () => Promise<readonly AcceptedReplacement[]>;
}

/** The topics that routing reads and writes. */
export const ROUTED_TOPICS: readonly Topic[] = Object.values(TOPICS).filter(
  (topic) => topic !== TOPICS.subjects,
);

const LOOK_AGAIN_MS = 10_000;

/**
 * Detects a topic that was deleted and recreated under its name. It compares the topic's id with
 * the ids in the last audit events and with the first id that this process saw. It also compares
 * the intake record of the last audit event with the record at that offset now. If nothing changes,
 * each check costs one request.
 */
export class LogIdentity {
  readonly #deps: LogIdentityDeps;
  readonly #first = new Map<Topic, string>();
  /** Custody logs that a settled event names. */
  readonly #custody = new Set<CustodyTopic>();
  #known:
    | {
        readonly ids: TopicIds | undefined;
        readonly identities: readonly TopicIdentity[];
        readonly at: number;
      }
    | undefined;
  #looking: Promise<readonly TopicIdentity[]> | undefined;

  constructor(deps: LogIdentityDeps) {
    this.#deps = deps;
  }

  /** The identity of every topic, from a read that begins after the call. */
  async look(): Promise<readonly TopicIdentity[]> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return await this.#looking;
  }

  /** Throws `LOG_REPLACED` (stop). Uses the result of the last read for ten seconds. */
  async requireSameTopic(topic: Topic): Promise<void> {
    const recent =
      this.#known !== undefined && performance.now() - this.#known.at < LOOK_AGAIN_MS
        ? this.#known.identities
        : await this.look();
    requireSameTopics(recent, [topic]);
  }

  async #look(): Promise<readonly TopicIdentity[]> {
    const ids = await this.#deps.ids(this.#custody);
    const before = this.#known;
    const unchanged =
      before !== undefined &&
      ids !== undefined &&
      before.ids !== undefined &&
      sameIds(ids, before.ids) &&
      before.identities.every(({ state }) => state === 'same');
    this.#known = {
      ...(unchanged ? { ids, identities: before.identities } : await this.#compare(ids)),
      at: performance.now(),
    };
    return this.#known.identities;
  }

  async #compare(found: TopicIds | undefined): Promise<{
    readonly ids: TopicIds | undefined;
    readonly identities: readonly TopicIdentity[];
  }> {
    const settled = await this.#settled();
    const ids = this.#learn(settled ?? []) ? await this.#deps.ids(this.#custody) : found;
    for (const [topic, id] of ids ?? []) if (!this.#first.has(topic)) this.#first.set(topic, id);
    return { ids, identities: await this.#identities(ids, settled) };
  }

  async #identities(
    ids: TopicIds | undefined,
    settled: readonly SettledTopics[] | undefined,
  ): Promise<readonly TopicIdentity[]> {
    const identities = compareTopics({ ids, settled, first: this.#first, accepted: [] });
    if (identities.every(({ state }) => state !== 'replaced')) return identities;
    return compareTopics({
      ids,
      settled,
      first: this.#first,
      accepted: await this.#deps.accepted(),
    });
  }

  /** True if a settled event names a custody log that none named before. */
  #learn(settled: readonly SettledTopics[]): boolean {
    const before = this.#custody.size;
    for (const { ids } of settled) for (const topic of custodyIn(ids)) this.#custody.add(topic);
    return this.#custody.size > before;
  }

  /** A process without read access to the audit log compares with the ids it saw first. */
  async #settled(): Promise<readonly SettledTopics[] | undefined> {
    try {
      return await this.#deps.settled();
    } catch (error) {
      if (hasCode(error, 'KAFKA_AUTHORIZATION')) return undefined;
      throw error;
    }
  }
}

export interface Comparison {
  readonly ids: TopicIds | undefined;
  /** `undefined`: it cannot be read. */
  readonly settled: readonly SettledTopics[] | undefined;
  readonly first: TopicIds;
  readonly accepted: readonly AcceptedReplacement[];
}

export function compareTopics({
  ids,
  settled: read,
  first,
  accepted,
}: Comparison): readonly TopicIdentity[] {
  const settled = read ?? [];
  const custody = new Set([ids, ...settled.map((one) => one.ids)].flatMap(custodyIn));
  return [...Object.values(TOPICS), ...custody].map((topic): TopicIdentity => {
    const now = ids?.get(topic);
    const expected = new Set(
      [...settled.map((one) => one.ids?.get(topic)), first.get(topic)].filter(
        (id) => id !== undefined,
      ),
    );
    const replaced =
      now === undefined
        ? []
        : [...expected]
            .filter((id) => id !== now && !isAccepted(accepted, { topic, was: id, is: now }))
            .map((was) => ({ was, is: now }));
    if (replaced.length > 0)
      return {
        topic,
        state: 'replaced',
        found: `expected the topic with the id ${replaced[0]?.was}, found ${now}`,
        replaced,
      };
    const differing =
      topic === TOPICS.samples
        ? settled.find(({ difference }) => difference !== undefined)
        : undefined;
    if (differing !== undefined)
      return {
        topic,
        state: 'replaced',
        found: `expected in partition ${differing.partition} the record that the last audit event is about, found one ${differing.difference}`,
      };
    const confirmed =
      settled.some((one) => now !== undefined && one.ids?.has(topic) === true) ||
      (topic === TOPICS.samples && settled.some(({ compared }) => compared));
    return { topic, state: confirmed ? 'same' : read?.length === 0 ? 'unsettled' : 'unknown' };
  });
}

/** Throws `LOG_REPLACED` (stop) for the first of these topics that was replaced. */
export function requireSameTopics(
  identities: readonly TopicIdentity[],
  topics: readonly Topic[],
): void {
  const replaced = identities.find(
    ({ topic, state }) => state === 'replaced' && topics.includes(topic),
  );
  if (replaced !== undefined) throw logReplaced(replaced);
}

/**
 * Throws `LOG_REPLACED` (stop) if one of these topics has another id than `first` says. `ids`: the
 * current ones; not asked if none were known at first.
 */
export async function requireUnchanged(
  topics: readonly Topic[],
  first: TopicIds | undefined,
  ids: () => Promise<TopicIds | undefined>,
): Promise<void> {
  if (first === undefined) return;
  requireSameTopics(compareTopics({ ids: await ids(), settled: [], first, accepted: [] }), topics);
}

export function logReplaced({
  topic,
  found = '',
}: Pick<TopicIdentity, 'topic' | 'found'>): KafkaLogError {
  const next =
    topic === TOPICS.samples || topic === TOPICS.audit
      ? 'Restore the topic; if it was replaced for good, it is another log and needs another RESIDENCY_LOG and topic prefix'
      : regionOfCustody(topic) === undefined
        ? 'Restore the topic; if it was replaced for good, say so: residency topics accept'
        : 'Restore it from its ledger (residency audit restore), then say so: residency topics accept';
  return new KafkaLogError({
    code: 'LOG_REPLACED',
    remedy: 'stop',
    message: `Expected ${topic} to be the topic that was settled, found another under its name: ${found}. It was deleted and made again, or its end was lost and new records written after it. Nothing of it is settled or read. ${next} (docs/runbooks/ResidencyLogReplaced.md).`,
  });
}

/**
 * The ids that the next settlement records: the current ones, but of a custody log the one that was
 * recorded before. A router does not read custody logs, so it goes on beside one that was replaced,
 * and must not hide that from custodians.
 */
export function idsToRecord(
  now: TopicIds,
  recorded: TopicIds | undefined,
  accepted: readonly AcceptedReplacement[],
): TopicIds {
  const ids = new Map(now);
  for (const topic of custodyIn(recorded)) {
    const [was, is] = [recorded?.get(topic) ?? '', now.get(topic)];
    if (is === undefined || !isAccepted(accepted, { topic, was, is })) ids.set(topic, was);
  }
  return ids;
}

function custodyIn(ids: TopicIds | undefined): CustodyTopic[] {
  return [...(ids?.keys() ?? [])].filter(
    (topic): topic is CustodyTopic => regionOfCustody(topic) !== undefined,
  );
}

function isAccepted(
  accepted: readonly AcceptedReplacement[],
  { topic, was, is }: { readonly topic: Topic; readonly was: string; readonly is: string },
): boolean {
  let reached = was;
  // One after the other, in the order of their acceptance.
  for (const one of accepted) if (one.topic === topic && one.was === reached) reached = one.is;
  return reached === is;
}

function sameIds(a: TopicIds, b: TopicIds): boolean {
  return a.size === b.size && [...a].every(([topic, id]) => b.get(topic) === id);
}
