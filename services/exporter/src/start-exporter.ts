import { KafkaObserver, openKafkaLog, routerGroup, topicName } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { logLevelOf } from '@residency/contracts';
import { observeConsents } from '@residency/observation';
import type { PolicyFacts, ViewFacts } from '@residency/observation';
import { SharedWait, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import { validPolicies } from '@residency/residency';
import { EXPORTED_SOURCES } from '@residency/telemetry';
import type { ExportedSource, ExporterMetrics, Logger, Metrics } from '@residency/telemetry';
import { allOrNone, retryUntilReady, unlessAborted } from '@residency/waiting';
import type { ExporterSettings } from './config.ts';
import { factSource } from './fact-source.ts';
import { intakeSource } from './intake-source.ts';
import { QuarantineReader } from './quarantine-reader.ts';
import { refreshSource } from './refresh-source.ts';
import { reportWait } from './report-wait.ts';
import type { Source } from './source.ts';

export interface ExporterDeps {
  readonly settings: ExporterSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** The last known state of the views; `undefined`: not known. */
interface SeenNow {
  consents?: ViewFacts | undefined;
  policy?: PolicyFacts | undefined;
}

/** After this time without an answer a source's metrics are absent. */
const PATIENCE_MS = 10_000;
/** How long a broker may take to answer: so short that another one can be asked in time. */
const ANSWER_WITHIN_MS = 4_000;

/** Exposes metrics about the logs and views. One is enough; several expose the same values. */
export async function startExporter(deps: ExporterDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  return await runWork({
    name: 'exporting',
    http: settings.http,
    logger,
    metrics,
    work: (context) => exportUntil(deps, context),
  });
}

async function exportUntil(
  deps: ExporterDeps,
  { signal, waits, started }: WorkContext,
): Promise<void> {
  const { settings, metrics, now } = deps;
  const { topicPrefix } = settings.kafka;
  const exporter = metrics.exporting({
    group: routerGroup(topicPrefix),
    nameOf: (topic) => topicName(topicPrefix, topic),
  });
  const seen: SeenNow = {};
  metrics.views(() => seen);
  const waiting = new SharedWait(waits);
  const untried = new Set<ExportedSource>(EXPORTED_SOURCES);
  const refresh = async (source: Source, together: AbortSignal): Promise<void> => {
    await refreshSource(source, {
      intervalMs: settings.exporting.intervalMs,
      patienceMs: PATIENCE_MS,
      signal: together,
      onRead: ({ name }, error) => {
        if (error === undefined) exporter.read(name);
        reportWait(waiting, name, error);
        if (untried.delete(name) && untried.size === 0) started();
      },
    });
  };
  const consents = new RedisConsentView(settings.redis);
  try {
    await allOrNone(signal, (together) => [
      refresh(
        factSource(
          'redis',
          () => observeConsents(consents, now),
          (view) => {
            seen.consents = view;
            exporter.consentHalted(view?.halted);
          },
        ),
        together,
      ),
      withKafka(
        deps,
        {
          signal: together,
          waits: (error) => {
            waiting.of('kafka', error);
          },
        },
        async (log) => {
          await Promise.all(
            kafkaSources(log, deps, exporter, seen).map((source) => refresh(source, together)),
          );
        },
      ),
    ]);
  } finally {
    await consents.close();
  }
}

/**
 * Opens the log, however long that takes, works with it until `signal` is aborted, and closes it.
 */
async function withKafka(
  { settings, logger }: ExporterDeps,
  { signal, waits }: Pick<WorkContext, 'signal' | 'waits'>,
  work: (log: KafkaLog) => Promise<void>,
): Promise<void> {
  const kafka = {
    ...settings.kafka,
    clientId: 'residency-exporter',
    requestTimeoutMs: ANSWER_WITHIN_MS,
  };
  const opening = retryUntilReady(() => openKafkaLog(kafka, logger), { signal, waits });
  const log = await unlessAborted(opening, signal);
  if (log === undefined) {
    void opening.then((late) => late.close()).catch(() => undefined);
    return;
  }
  try {
    waits(undefined);
    await work(log);
  } finally {
    await log.close();
  }
}

function kafkaSources(
  log: KafkaLog,
  { settings, logger, metrics, now }: ExporterDeps,
  exporter: ExporterMetrics,
  seen: SeenNow,
): Source[] {
  const observer = new KafkaObserver(log, now, (state) => {
    logger.setLevel(logLevelOf(state, 'exporter'));
  });
  const control = metrics.control();
  const quarantine = new QuarantineReader({ log, marginMs: settings.routing.watermarkMarginMs });
  return [
    intakeSource(log, observer, exporter, () => [
      ...new Set(
        validPolicies(seen.policy?.versions ?? []).flatMap(({ document }) =>
          document.regions.map(({ id }) => id),
        ),
      ),
    ]),
    factSource(
      'policy',
      (signal) => observer.policy(signal),
      (policy) => {
        seen.policy = policy;
        exporter.policyVersions(policy && validPolicies(policy.versions).length);
      },
    ),
    factSource(
      'control',
      (signal) => observer.control(signal),
      (state) => {
        control.is(state);
      },
    ),
    factSource(
      'quarantine',
      (signal) => quarantine.read(signal),
      (found) => {
        exporter.quarantine(found);
      },
    ),
  ];
}
