import { dirname, join } from 'node:path';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaDiagnostics } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3LedgerStore } from '@residency/adapter-s3';
import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { knownOf } from '@residency/observation';
import { atMost, pause } from '@residency/waiting';
import type { ConfigFile } from '../cluster/config-file.ts';
import { ClusterProbe } from '../probing/cluster-probe.ts';
import { ledgerIn } from '../ledger/ledger-files.ts';
import type { Session } from '../terminal/session.ts';
import { assessmentOf, factOf } from './assessed.ts';
import { documentsOf } from './judge-policy.ts';
import { Part, given } from './part.ts';
import type { CheckOptions } from './part.ts';
import { settingsPart } from './settings-parts.ts';
import { watchTicks } from './ticks.ts';

/** The time limit of one request: short enough that a check can make several. */
export const ANSWER_WITHIN_MS = 3_000;
const CLOSE_WITHIN_MS = 2_000;
/** Longer than a connection attempt may take, so that the failure is named. */
const OBSERVED_WITHIN_MS = 10_000;
/** The time between the two snapshots, in which several ticks arrive. */
const BETWEEN_MS = 2_000;

export interface ClusterDeps {
  readonly session: Session;
  readonly file: ConfigFile;
  readonly options: CheckOptions;
  readonly diagnostics: KafkaDiagnostics;
}

/** The values that checks of a cluster share. */
export function clusterParts({ session, file, options, diagnostics }: ClusterDeps) {
  const { kept, close } = keeper();
  const kafkaSettings = settingsPart(file, 'kafka');
  const redisSettings = settingsPart(file, 'redis');
  const keysSettings = settingsPart(file, 'keys');
  const ledgerSettings = settingsPart(file, 'ledger');
  const checkpointSettings = settingsPart(file, 'checkpoints');
  const kafka = new Part('Kafka', () =>
    given(options, [kafkaSettings], async ([settings]) =>
      kept(await openKafkaLog({ ...settings, requestTimeoutMs: ANSWER_WITHIN_MS }, diagnostics)),
    ),
  );
  const redis = new Part('Redis', () =>
    given(options, [redisSettings], async ([settings]) => {
      const view = kept(
        new RedisConsentView({
          ...settings,
          timeouts: { connectMs: ANSWER_WITHIN_MS, commandMs: ANSWER_WITHIN_MS },
        }),
      );
      await view.requireNoEviction();
      return view;
    }),
  );
  const ticks = (topic: Topic) =>
    new Part(`ticks of ${topic}`, () =>
      given(options, [kafka], ([log], signal) =>
        watchTicks(log, topic, { now: session.now, signal }),
      ),
    );
  const probe = new ClusterProbe({
    log: () => kafka.needed(),
    consents: () => redis.needed(),
    now: session.now,
    withinMs: OBSERVED_WITHIN_MS,
  });
  const snapshot = new Part('the snapshot', async () => {
    const first = await probe.snapshot();
    if (knownOf(first.appendTimes) === undefined) return first;
    // A clock that is behind is visible only in records appended between two snapshots.
    await pause(BETWEEN_MS, session.signal);
    return await probe.snapshot();
  });
  const policy = factOf('the policy log', snapshot, (facts) => facts.policy);
  return {
    kafkaSettings,
    keysSettings,
    ledgerSettings,
    routing: settingsPart(file, 'routing'),
    sites: settingsPart(file, 'sites'),
    readers: settingsPart(file, 'readers'),
    custodians: settingsPart(file, 'custodians'),
    kafka,
    redis,
    assessment: assessmentOf(snapshot),
    ticks: [ticks(TOPICS.consents), ticks(TOPICS.policy)],
    documents: new Part('a policy in force', () =>
      given(options, [policy], ([{ at, versions }]) => demandSome(documentsOf(versions, at))),
    ),
    control: factOf('the control log', snapshot, ({ control }) => control),
    keys: new Part('keys', () =>
      given(options, [keysSettings], ([{ directory }]) => new KeyDirectory(directory)),
    ),
    ledgers: new Part("the ledgers' store", () =>
      given(options, [ledgerSettings], ([place]) =>
        place.directory === undefined
          ? kept(new S3LedgerStore(place.bucket))
          : { read: ledgerIn(place.directory).read },
      ),
    ),
    kept: new Part('the kept checkpoints', () =>
      given(options, [checkpointSettings], ([{ directory, bucket, besideKey = '' }]) =>
        bucket === undefined
          ? { read: ledgerIn(directory ?? join(dirname(besideKey), 'ledger-checkpoints')).read }
          : kept(new S3LedgerStore(bucket)),
      ),
    ),
    close,
  };
}

interface Closable {
  close(): Promise<void> | void;
}

/**
 * Closes kept connections, and late ones as they arrive. Waits a limited time, so that a server
 * that hangs does not delay the end.
 */
function keeper() {
  const opened: Closable[] = [];
  const over = new AbortController();
  const end = async (one: Closable): Promise<void> => {
    await one.close();
  };
  return {
    kept: <T extends Closable>(one: T): T => {
      if (over.signal.aborted) void end(one).catch(() => undefined);
      else opened.push(one);
      return one;
    },
    close: async (): Promise<void> => {
      over.abort();
      await atMost(CLOSE_WITHIN_MS, Promise.allSettled(opened.map(end)));
    },
  };
}

export type ClusterParts = ReturnType<typeof clusterParts>;

function demandSome<T>(documents: readonly T[]): readonly T[] {
  if (documents.length === 0) throw new Error('Expected a policy in force, found none.');
  return documents;
}
