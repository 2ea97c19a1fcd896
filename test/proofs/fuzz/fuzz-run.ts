import { readFile } from 'node:fs/promises';
import { replay } from '@residency/auditing';
import {
  consentCloudEvent,
  consentEntry,
  INITIAL_CONTROL,
  TOPICS,
  decodeAuditEvent,
  decodeQuarantinePointer,
  followControl,
  logLevelOf,
  submissionEntry,
} from '@residency/contracts';
import { invalidPolicies, validPolicies } from '@residency/residency';
import { FIRST_POLICY, bringLedgersUpToDate } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { SALT, submissionEvent } from '@residency/testkit';
import { reconcileOpening, routeAll } from '../data-copies.ts';
import { hostileRecord } from '../hostile-records.ts';
import { FUZZED, consentOf, hostileOf, serviceOf, versionOf } from './hostile-topics.ts';
import type { Fuzzed, Hostile } from './hostile-topics.ts';

export interface TopicTally {
  readonly topic: string;
  readonly records: number;
  readonly good: number;
  /** Records that were accepted, good ones included. */
  readonly taken: number;
  /** Records that were skipped, and counted or named. */
  readonly named: number;
  readonly faults: readonly string[];
}

const CHUNK = 1_000;

/** The records written to the topics, and the ends of the topics before. */
export interface Spoiled {
  readonly before: ReadonlyMap<Fuzzed, bigint>;
  readonly hostile: ReadonlyMap<Fuzzed, readonly Hostile[]>;
}

/** Fills every topic but the intake's with hostile records. */
export async function spoilTopics(
  data: DataDirectory,
  { seed, records }: { readonly seed: number; readonly records: number },
): Promise<Spoiled> {
  const base = { policy: await readFile(FIRST_POLICY, 'utf8'), log: data.log.name };
  const before = new Map(
    await Promise.all(FUZZED.map(async (topic) => [topic, await data.log.end(topic)] as const)),
  );
  const all = new Map<Fuzzed, Hostile[]>();
  for (const topic of FUZZED) {
    // The parser of policies is by far the slowest reader.
    const count = topic === TOPICS.policy ? Math.ceil(records / 10) : records;
    const hostile = Array.from({ length: count }, (_, index) =>
      hostileOf(topic, seed, index, base),
    );
    for (let from = 0; from < count; from += CHUNK)
      await data.log.append(hostile.slice(from, from + CHUNK).map(({ entry }) => entry));
    all.set(topic, hostile);
  }
  return { before, hostile: all };
}

/** Runs every reader of a topic over a data directory. Rejects if a process would end. */
export async function readTopics(
  data: DataDirectory,
  { before, hostile: all }: Spoiled,
): Promise<readonly TopicTally[]> {
  const of = (topic: Fuzzed): readonly Hostile[] => all.get(topic) ?? [];
  return [
    await consents(data, of(TOPICS.consents)),
    await policies(data, of(TOPICS.policy)),
    await control(data, of(TOPICS.control)),
    await audit(data, of(TOPICS.audit), before.get(TOPICS.audit) ?? 0n),
    await quarantine(data, of(TOPICS.quarantine), before.get(TOPICS.quarantine) ?? 0n),
  ];
}

/**
 * The projector's fold, in the embedded view. Every record must be either in the view or counted.
 */
async function consents({ log }: DataDirectory, hostile: readonly Hostile[]): Promise<TopicTally> {
  const skipped = await log.consentView().skipped();
  const given = new Set<number>();
  for (let from = 0; from < hostile.length; from += CHUNK) {
    const { histories } = await log
      .consentView()
      .read(hostile.slice(from, from + CHUNK).map((_, index) => consentOf(from + index)));
    hostile.slice(from, from + CHUNK).forEach((_, index) => {
      if (histories.has(consentOf(from + index))) given.add(from + index);
    });
  }
  return tally(
    TOPICS.consents,
    hostile,
    (index) => given.has(index),
    skipped,
    given.size + skipped < hostile.length - spare(hostile)
      ? ['records that are neither in the view nor counted']
      : [],
  );
}

/**
 * The number of changed records that may be valid under another name; which of the two they are is
 * unknown.
 */
function spare(hostile: readonly Hostile[]): number {
  return hostile.filter(({ good, never }) => !good && !never).length;
}

async function policies({ log }: DataDirectory, hostile: readonly Hostile[]): Promise<TopicTally> {
  const view = log.policyView();
  const { versions } = await view.read();
  const judged = validPolicies(versions).length + invalidPolicies(versions).length;
  const numbers = new Set(versions.map(({ document: { version } }) => version));
  const faults =
    judged === 0 || versions.length + view.skipped() < hostile.length
      ? ['records that are neither a version nor counted']
      : [];
  return tally(
    TOPICS.policy,
    hostile,
    (index) => numbers.has(versionOf(index)),
    view.skipped(),
    faults,
  );
}

async function control({ log }: DataDirectory, hostile: readonly Hostile[]): Promise<TopicTally> {
  let state = INITIAL_CONTROL;
  for await (const record of log.read(TOPICS.control)) state = followControl(state, record);
  const set = hostile.flatMap((_, index) =>
    logLevelOf(state, serviceOf(index)) === 'debug' ? [index] : [],
  );
  const taken = new Set(set);
  return tally(
    TOPICS.control,
    hostile,
    (index) => taken.has(index),
    hostile.length - taken.size,
    state.mode === 'running' ? [] : [`the system was left ${state.mode}`],
  );
}

/**
 * Runs ledger, replay, retention and reconciler over one log. None may end, and each must count the
 * records that are not events of their place.
 */
async function audit(
  data: DataDirectory,
  hostile: readonly Hostile[],
  from: bigint,
): Promise<TopicTally> {
  const { log } = data;
  let found = 0;
  await bringLedgersUpToDate(data, {
    signal: new AbortController().signal,
    found: () => {
      found += 1;
    },
  });
  const replayed = await replay(log.read(TOPICS.audit), { maxListed: 10 });
  await log.dropExpired(Date.now() + 60_000);
  const report = await reconcileOpening(data);
  const decodable = new Set<number>();
  let offset = 0;
  for await (const { value } of log.read(TOPICS.audit, { from })) {
    if (readable(() => decodeAuditEvent(value ?? Buffer.alloc(0)))) decodable.add(offset);
    offset += 1;
  }
  const unreadable = hostile.length - decodable.size;
  // Readers report each: its place is wrong, or it is not an event.
  const faults = [
    ...(found < hostile.length ? [`the ledger named ${found} of ${hostile.length} records`] : []),
    ...(replayed.faults.total < unreadable
      ? [`the replay named ${replayed.faults.total} of ${unreadable} records`]
      : []),
    ...(report.differences.total === 0 ? ['the reconciler found nothing'] : []),
  ];
  return tally(TOPICS.audit, hostile, (index) => decodable.has(index), found, faults);
}

async function quarantine(
  { log }: DataDirectory,
  hostile: readonly Hostile[],
  from: bigint,
): Promise<TopicTally> {
  const taken = new Set<number>();
  let index = 0;
  for await (const { value } of log.read(TOPICS.quarantine, { from })) {
    if (readable(() => decodeQuarantinePointer(value ?? Buffer.alloc(0)))) taken.add(index);
    index += 1;
  }
  return tally(TOPICS.quarantine, hostile, (at) => taken.has(at), hostile.length - taken.size, []);
}

function readable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

function tally(
  topic: string,
  hostile: readonly Hostile[],
  isTaken: (index: number) => boolean,
  named: number,
  faults: readonly string[],
): TopicTally {
  const lost = hostile.findIndex(({ good }, index) => good && !isTaken(index));
  const believed = hostile.findIndex(({ never }, index) => never && isTaken(index));
  return {
    topic,
    records: hostile.length,
    good: hostile.filter(({ good }) => good).length,
    taken: hostile.filter((_, index) => isTaken(index)).length,
    named,
    faults: [
      ...faults,
      ...(lost === -1 ? [] : [`good record ${lost} was not taken`]),
      ...(believed === -1 ? [] : [`record ${believed} was taken, and has no one meaning`]),
    ],
  };
}

/**
 * Tests the intake topic, before the others are spoiled: every record must get its event, and every
 * good one its objects.
 */
export async function fuzzSamples(
  data: DataDirectory,
  { seed, records }: { readonly seed: number; readonly records: number },
): Promise<TopicTally> {
  const good: string[] = [];
  for (let from = 0; from < records; from += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, records - from) }, (_, index) =>
      hostileRecord(seed, from + index),
    );
    await data.log.append(chunk.map(({ entry }) => entry));
    chunk.forEach((record, index) => {
      if (record.good !== undefined)
        good.push(
          submissionEntry(submissionEvent({ id: `fuzz-${from + index}` })).submission ?? '',
        );
    });
    if ((await routeAll(data)) !== undefined)
      return {
        topic: TOPICS.samples,
        records,
        good: good.length,
        taken: 0,
        named: 0,
        faults: [`routing was blocked before record ${from + CHUNK}`],
      };
  }
  const stored = new Set<string>();
  let events = 0;
  for await (const { value } of data.log.read(TOPICS.audit)) {
    const event = decodeAuditEvent(value ?? Buffer.alloc(0));
    events += 1;
    if (event.outcome === 'stored') stored.add(event.data.submission);
  }
  const faults = [
    ...(events === records ? [] : [`${events} events for ${records} records`]),
    ...(good.every((id) => stored.has(id)) ? [] : ['a good sample was not stored']),
  ];
  return {
    topic: TOPICS.samples,
    records,
    good: good.length,
    taken: stored.size,
    named: events - stored.size,
    faults,
  };
}

/** Afterwards a consent and a sample under it must be routed as on the first day. */
export async function stillRoutes(data: DataDirectory): Promise<boolean> {
  const consent = consentCloudEvent(
    {
      kind: 'granted',
      consentId: 'after-the-fuzz',
      purposes: ['threat-sample-sharing'],
      termsVersion: '1',
    },
    { id: 'after', source: 'urn:test' },
  );
  const sample = submissionEntry(
    submissionEvent({ id: 'after-the-fuzz', consent: 'after-the-fuzz' }),
  );
  await data.log.append([consentEntry(consent, SALT), sample]);
  if ((await routeAll(data)) !== undefined) return false;
  const found = await data.log.findSubmission(sample.submission ?? '');
  return (
    found.state === 'settled' &&
    found.events.some((bytes) => decodeAuditEvent(bytes).outcome === 'stored')
  );
}
