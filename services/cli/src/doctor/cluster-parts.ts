import { setTimeout as sleep } from 'node:timers/promises';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaDiagnostics } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3LedgerStore } from '@residency/adapter-s3';
import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { ConfigFile } from '../config-file.ts';
import { policiesOn } from '../cluster/published-policies.ts';
import { controlOf } from '../control.ts';
import { ledgerIn } from '../ledger-files.ts';
import type { Session } from '../session.ts';
import { documentsOf } from './judge-policy.ts';
import { Part, given } from './part.ts';
import type { Terms } from './part.ts';
import { settingsPart } from './settings-parts.ts';
import { watchTicks } from './ticks.ts';

/** How long one answer may take: so short that a check has time for several. */
export const ANSWER_WITHIN_MS = 3_000;
const CLOSE_WITHIN_MS = 2_000;

export interface ClusterDeps {
  readonly session: Session;
  readonly file: ConfigFile;
  readonly terms: Terms;
  readonly diagnostics: KafkaDiagnostics;
}

/** What checks of a cluster share. */
export function clusterParts({ session, file, terms, diagnostics }: ClusterDeps) {
  const { kept, close } = keeper();
  const kafkaSettings = settingsPart(file, 'kafka');
  const redisSettings = settingsPart(file, 'redis');
  const keysSettings = settingsPart(file, 'keys');
  const ledgerSettings = settingsPart(file, 'ledger');
  const kafka = new Part('Kafka', () =>
    given(terms, [kafkaSettings], async ([settings]) =>
      kept(await openKafkaLog({ ...settings, requestTimeoutMs: ANSWER_WITHIN_MS }, diagnostics)),
    ),
  );
  const redis = new Part('Redis', () =>
    given(terms, [redisSettings], async ([settings]) => {
      const view = kept(
        new RedisConsentView({
          ...settings,
          timeouts: { connectMs: ANSWER_WITHIN_MS, commandMs: ANSWER_WITHIN_MS },
        }),
      );
      await view.demandNoEviction();
      return view;
    }),
  );
  const ticks = (topic: Topic) =>
    new Part(`ticks of ${topic}`, () =>
      given(terms, [kafka], ([log], signal) =>
        watchTicks(log, topic, { now: session.now, signal }),
      ),
    );
  const policies = new Part('the policy log', () =>
    given(terms, [kafka], async ([log], signal) => await policiesOn({ ...session, signal }, log)),
  );
  return {
    kafkaSettings,
    keysSettings,
    ledgerSettings,
    routing: settingsPart(file, 'routing'),
    sites: settingsPart(file, 'sites'),
    readers: settingsPart(file, 'readers'),
    kafka,
    redis,
    policies,
    ticks: [ticks(TOPICS.consents), ticks(TOPICS.policy)],
    documents: new Part('a policy in force', () =>
      given(terms, [policies], ([published]) => demandSome(documentsOf(published, session.now()))),
    ),
    control: new Part('the control log', () =>
      given(
        terms,
        [kafka],
        async ([log], signal) =>
          await controlOf({ controlLog: () => log.read(TOPICS.control, { until: 'end', signal }) }),
      ),
    ),
    keys: new Part('keys', () =>
      given(terms, [keysSettings], ([{ directory }]) => new KeyDirectory(directory)),
    ),
    ledgers: new Part("the ledgers' store", () =>
      given(terms, [ledgerSettings], ([place]) =>
        place.directory === undefined
          ? kept(new S3LedgerStore(place.bucket))
          : { read: ledgerIn(place.directory).read },
      ),
    ),
    close,
  };
}

interface Closable {
  close(): Promise<void> | void;
}

/** Closes what was kept, and what comes late as it comes. Waits a while: a server that hangs must not hold up the end. */
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
      await Promise.race([
        Promise.allSettled(opened.map(end)),
        sleep(CLOSE_WITHIN_MS, undefined, { ref: false }),
      ]);
    },
  };
}

export type ClusterParts = ReturnType<typeof clusterParts>;

function demandSome<T>(documents: readonly T[]): readonly T[] {
  if (documents.length === 0) throw new Error('Expected a policy in force, found none.');
  return documents;
}
