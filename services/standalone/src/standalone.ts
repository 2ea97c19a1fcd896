import { keepGrowing, ledgerRoutes } from '@residency/auditor';
import { RecentRegions } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import type { CodedError } from '@residency/coded-error';
import {
  INITIAL_CONTROL,
  TOPICS,
  decodeAuditEvent,
  formatPosition,
  logLevelOf,
  parsePosition,
} from '@residency/contracts';
import type { AuditEvent, ControlState } from '@residency/contracts';
import { INTAKE_ROUTES, startIntake } from '@residency/intake';
import type { Intake, IntakeToken } from '@residency/intake';
import { Health } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import { openDataDirectory } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';
import { EmbeddedControlView } from './embedded-control-view.ts';
import { openEmbeddedLedger } from './embedded-ledger.ts';
import type { EmbeddedLedger } from './embedded-ledger.ts';
import { publishExamples } from './examples.ts';
import type { PublishedExample } from './examples.ts';
import { followControlView } from './follow-control.ts';
import { settledThrough } from './settled-through.ts';
import { startRetention } from './retention.ts';
import { openRouter } from './routing.ts';
import type { EmbeddedRouter } from './routing.ts';

export interface StandaloneOptions {
  /** The data directory; made where it is missing. */
  readonly data: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tokens?: readonly IntakeToken[];
  /** Publishes `examples/` where the log has no submission yet. */
  readonly examples: boolean;
  /** How long settled intake records keep their payload, milliseconds. */
  readonly retainMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface RoutedExample extends PublishedExample {
  readonly event: AuditEvent;
}

export interface Standalone {
  readonly url: string;
  readonly data: DataDirectory;
  /** What the first run routed, in the order of publication; empty where it is not the first. */
  firstRun(): Promise<readonly RoutedExample[]>;
  /** Settles when routing ends: resolves after `stop`, rejects with what needs a person. */
  readonly ended: Promise<void>;
  /** Stops taking, settles or drops the batch in hand, frees port and lock. Repeatable. */
  stop(): Promise<void>;
}

/** Everything in one process: embedded log and stores, router, intake. Throws coded errors before anything listens. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const data = await openDataDirectory(options.data);
  const stopping = new AbortController();
  try {
    const health = new Health('routing');
    const { logger, metrics } = options;
    const routed = metrics.routing(await regionsOf(data));
    const waits = (error: CodedError | undefined): void => {
      if (health.waits(error?.code)) logger.warn('Routing waits.', { error });
      metrics.waiting(error?.code);
    };
    const control = new EmbeddedControlView(data.log);
    const orders = new Orders(options);
    // Before anything is routed or taken: what people said before this start holds.
    orders.follow(await control.read());
    const router = await openRouter(data, {
      until: 'aborted',
      signal: stopping.signal,
      control,
      onStage: routed.stage,
      settled: ({ settlements, blocked }) => {
        for (const { event } of settlements) routed.settled(event);
        waits(blocked?.error);
      },
      source: { onRetry: waits },
    });
    try {
      const ledger = await openEmbeddedLedger(data);
      const intake = await startIntake({
        host: options.host,
        port: options.port,
        ...(options.tokens === undefined ? {} : { tokens: options.tokens }),
        appender: data.log,
        status: { find: (submission) => data.log.findSubmission(submission) },
        consents: { history: (consentId) => data.log.consentHistory(consentId) },
        operations: {
          live: () => health.live,
          ready: () => health.readiness(),
          metrics: () => metrics.render(),
        },
        routes: (app) => {
          ledgerRoutes(app, ledger.store);
        },
        draining: () => orders.state.mode === 'draining',
        answered: metrics.http(INTAKE_ROUTES).answered,
        log: {
          error: (fields, message) => {
            logger.error(message, fields);
          },
        },
      });
      health.started();
      const following = followControlView(
        control,
        (state) => {
          orders.follow(state);
        },
        stopping.signal,
      );
      return run({ options, data, router, ledger, intake, health, stopping, following });
    } catch (error) {
      await router.release();
      throw error;
    }
  } catch (error) {
    await data.log.close();
    throw error;
  }
}

/** What people left the system in, as far as this process follows it beside the router. */
class Orders {
  state: ControlState = INITIAL_CONTROL;
  readonly #logger: Logger;
  readonly #control;

  constructor({ logger, metrics }: Pick<StandaloneOptions, 'logger' | 'metrics'>) {
    this.#logger = logger;
    this.#control = metrics.control();
  }

  follow(state: ControlState): void {
    this.#logger.setLevel(logLevelOf(state, 'standalone'));
    this.#control.is(state.mode);
    this.state = state;
  }
}

interface Parts {
  readonly options: StandaloneOptions;
  readonly data: DataDirectory;
  readonly router: EmbeddedRouter;
  readonly ledger: EmbeddedLedger;
  readonly intake: Intake;
  readonly health: Health;
  readonly stopping: AbortController;
  /** Of the control log; ends with `stopping`. */
  readonly following: Promise<void>;
}

function run(parts: Parts): Standalone {
  const { options, data, router, intake, health, stopping, following } = parts;
  const retention = startRetention(data.log, options.retainMs, options.logger);
  // Whichever fails ends the other: what a ledger refuses, a person must see (a waiting one does not hold up routing).
  const works = [router.run(), growing(parts)].map((work) =>
    work.catch((error: unknown) => {
      health.failed();
      stopping.abort();
      throw error;
    }),
  );
  const ended = Promise.allSettled(works).then((results) => {
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  });
  // Whoever awaits `ended` hears of a failure; nobody is obliged to.
  ended.catch(() => undefined);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    health.stopping();
    await intake.close();
    stopping.abort();
    await ended.catch(() => undefined);
    await following;
    await retention.stop();
    await router.release();
    await data.close();
  };
  return {
    url: intake.url,
    data,
    ended,
    firstRun: async () =>
      options.examples && (await data.log.end(TOPICS.samples)) === 0n
        ? await routeExamples(data, stopping.signal)
        : [],
    stop: () => (stopped ??= stop()),
  };
}

/** Least time between two checkpoints, milliseconds. */
const CHECKPOINT_MS = 5_000;
const now = (): number => performance.now();

async function growing({
  options: { logger, metrics },
  ledger,
  stopping: { signal },
}: Parts): Promise<void> {
  let waited: string | undefined;
  await keepGrowing({
    ...ledger,
    regions: new RecentRegions(),
    intervalMs: CHECKPOINT_MS,
    now,
    signal,
    logger,
    metrics: metrics.ledger(),
    waits: (error) => {
      const code = codeOf(error);
      if (code !== undefined && code !== waited) logger.warn('The ledger waits.', { error });
      waited = code;
    },
  });
}

async function routeExamples(
  data: DataDirectory,
  signal: AbortSignal,
): Promise<readonly RoutedExample[]> {
  const published = await publishExamples(data);
  const last = published.at(-1);
  if (
    last === undefined ||
    !(await settledThrough(data.log, parsePosition(last.position).offset, signal))
  )
    return [];
  const events = new Map<string, AuditEvent>();
  for await (const bytes of data.log.auditRecords()) {
    const event = decodeAuditEvent(bytes);
    events.set(formatPosition(event.position), event);
  }
  return published.flatMap((example) => {
    const event = events.get(example.position);
    return event === undefined ? [] : [{ ...example, event }];
  });
}

async function regionsOf(data: DataDirectory): Promise<readonly string[]> {
  const { versions } = await data.log.policyView().read();
  return [...new Set(versions.flatMap(({ document }) => document.regions.map(({ id }) => id)))];
}
