import { openKafkaLog, routerGroup, topicName } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { logLevelOf } from '@residency/contracts';
import { SharedWait, allOrNone, comeUp, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import { EXPORTED_SOURCES } from '@residency/telemetry';
import type { ExportedSource, ExporterMetrics, Logger, Metrics } from '@residency/telemetry';
import type { ExporterSettings } from './config.ts';
import { SeenNow } from './seen-now.ts';
import type { Source } from './source.ts';
import { consentViewSource } from './sources/consent-view-source.ts';
import { controlSource } from './sources/control-source.ts';
import { intakeSource } from './sources/intake-source.ts';
import { policySource } from './sources/policy-source.ts';
import { QuarantineSource } from './sources/quarantine-source.ts';
import { tellSource } from './tell-source.ts';
import { tellWait } from './tell-wait.ts';

export interface ExporterDeps {
  readonly settings: ExporterSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** How long a source may take until it counts as one that can not be told. */
const PATIENCE_MS = 10_000;
/** How long a broker may take to answer: so short that another one can be asked in time. */
const ANSWER_WITHIN_MS = 4_000;

/** Tells Prometheus what stands in the logs and views. One is enough; several tell the same. */
export async function startExporter(deps: ExporterDeps): Promise<RunningWork> {
  const {
    settings: { http },
    logger,
    metrics,
  } = deps;
  return await runWork({
    name: 'exporting',
    http,
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
  const exporter = metrics.exporting();
  const seen = new SeenNow();
  metrics.views(() => seen.all());
  const waiting = new SharedWait(waits);
  const untried = new Set<ExportedSource>(EXPORTED_SOURCES);
  const tell = async (source: Source, together: AbortSignal): Promise<void> => {
    await tellSource(source, {
      intervalMs: settings.exporting.intervalMs,
      patienceMs: PATIENCE_MS,
      signal: together,
      told: ({ name }, error) => {
        if (error === undefined) exporter.read(name);
        tellWait(waiting, name, error);
        if (untried.delete(name) && untried.size === 0) started();
      },
    });
  };
  const consents = new RedisConsentView(settings.redis);
  try {
    await allOrNone(signal, (together) => [
      tell(consentViewSource(consents, { metrics: exporter, seen, now }), together),
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
            kafkaSources(log, deps, exporter, seen).map((source) => tell(source, together)),
          );
        },
      ),
    ]);
  } finally {
    await consents.close();
  }
}

/** Opens the log, however long that takes, works with it until `signal` is aborted, and closes it. */
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
  const opening = comeUp(() => openKafkaLog(kafka, logger), { signal, waits });
  const log = await Promise.race([opening, aborted(signal)]);
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
  const { topicPrefix } = settings.kafka;
  const orders = log.controlView((state) => {
    logger.setLevel(logLevelOf(state, 'exporter'));
  });
  return [
    intakeSource({
      log,
      group: routerGroup(topicPrefix),
      nameOf: (topic) => topicName(topicPrefix, topic),
      metrics: exporter,
    }),
    policySource({ log, view: log.policyView(), metrics: exporter, seen, now }),
    controlSource(log, orders, metrics.control()),
    new QuarantineSource({ log, metrics: exporter, marginMs: settings.routing.watermarkMarginMs }),
  ];
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener(
    'abort',
    () => {
      resolve(undefined);
    },
    { once: true },
  );
  await promise;
}
