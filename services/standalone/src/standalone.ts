import { inEachCustodyLog, keepGrowing, ledgerRoutes } from '@residency/auditor';
import { AWAY_AT_START, reportLeftOut } from '@residency/availability';
import { RECORD_LOGS, RecentRegions } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import type { CodedError } from '@residency/coded-error';
import {
  TOPICS,
  UNPAID_CODES,
  decodeAuditEvent,
  formatPosition,
  parsePosition,
} from '@residency/contracts';
import type { AuditEvent, Position, TopicPartition } from '@residency/contracts';
import { ActiveDesks, VAULT_ROUTES, vaultRoutes, askersOf } from '@residency/custodian';
import { defined } from '@residency/defined';
import { INTAKE_ROUTES, startIntake } from '@residency/intake';
import type { Intake, IntakeToken } from '@residency/intake';
import { SharedWait, runWork } from '@residency/operations';
import type { Operations, WorkContext } from '@residency/operations';
import { blocksByItself } from '@residency/routing';
import type { Logger, Metrics, RouterMetrics } from '@residency/telemetry';
import { allOrNone } from '@residency/waiting';
import { openDataDirectory } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';
import { keepEmbeddedCustody } from './embedded-custody.ts';
import { openEmbeddedLedger } from './embedded-ledger.ts';
import type { EmbeddedLedger } from './embedded-ledger.ts';
import { openEmbeddedVault } from './embedded-vault.ts';
import type { EmbeddedVault } from './embedded-vault.ts';
import { publishExamples } from './examples.ts';
import type { PublishedExample } from './examples.ts';
import { followClock } from './follow-clock.ts';
import { followWithdrawals } from './follow-withdrawals.ts';
import { FollowedControl } from './followed-control.ts';
import { observeIntake } from './observe-intake.ts';
import { regionsOf } from './regions-of.ts';
import { settledThrough } from './settled-through.ts';
import { startRetention } from './retention.ts';
import { openRouter } from './routing.ts';
import type { EmbeddedRouter } from './routing.ts';
import { Withdrawals } from './withdrawals.ts';

export interface StandaloneOptions {
  /** The data directory. It is created if missing. */
  readonly data: string;
  /** The place of the kept checkpoints, outside `data`; default: `defaultCheckpoints`. */
  readonly checkpoints?: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tokens?: readonly IntakeToken[];
  /** Publishes `examples/` if the log has no submission yet. */
  readonly examples: boolean;
  /** How long settled intake records keep their payload, milliseconds. */
  readonly retainMs: number;
  /** `erase`: a withdrawn consent orders the erasure of its samples. Default: `keep`. */
  readonly onWithdrawal?: 'keep' | 'erase';
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface RoutedExample extends PublishedExample {
  readonly event: AuditEvent;
}

export interface Standalone {
  readonly url: string;
  readonly data: DataDirectory;
  /** The records of the first run, in the order of publication; empty for a later run. */
  firstRun(): Promise<readonly RoutedExample[]>;
  /**
   * Settles when routing ends: resolves after `stop`, rejects with an error that needs a person.
   */
  readonly ended: Promise<void>;
  /**
   * Stops accepting, settles or drops the current batch, releases port and lock. May be called
   * again.
   */
  stop(): Promise<void>;
}

/**
 * Runs everything in one process: embedded log and stores, router, intake. Throws coded errors
 * before anything listens.
 */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const data = await openDataDirectory(options.data, defined({ checkpoints: options.checkpoints }));
  try {
    const control = new FollowedControl(data.log, options);
    // Before anything is routed or accepted, so that pauses from before this start apply.
    await control.read();
    const regions = await regionsOf(data);
    const routed = options.metrics.routing([...regions.keys()], [...regions.values()].flat());
    const router = await openRouter(data, {
      control: control.view,
      onStage: routed.stage,
      onAway: (site, error) => {
        options.logger.warn(AWAY_AT_START, { site, error });
      },
      onLeftOut: reportLeftOut({ logger: options.logger, leftOut: routed.leftOut }),
      unkept: () => {
        options.logger.warn(
          'No checkpoint of the ledger was kept apart, so a restored older copy cannot be detected. The newest one is kept from now on.',
        );
      },
    });
    try {
      const ledger = await openEmbeddedLedger(data);
      const desks = new ActiveDesks();
      const vault = await openEmbeddedVault({
        data,
        sites: router.sites,
        desks,
        regions: [...regions.keys()],
      });
      const parts = { options, data, control, routed, router, ledger, regions, desks };
      return await run({ ...parts, ...defined({ vault }) });
    } catch (error) {
      await router.release();
      throw error;
    }
  } catch (error) {
    await data.log.close();
    throw error;
  }
}

interface Parts {
  readonly options: StandaloneOptions;
  readonly data: DataDirectory;
  readonly control: FollowedControl;
  readonly routed: RouterMetrics;
  readonly router: EmbeddedRouter;
  /** The audit log's. */
  readonly ledger: EmbeddedLedger;
  /** The sites of each region. */
  readonly regions: ReadonlyMap<string, readonly string[]>;
  readonly desks: ActiveDesks;
  /** Absent: samples are not given out. */
  readonly vault?: EmbeddedVault;
}

async function run(parts: Parts): Promise<Standalone> {
  const { options, data, router } = parts;
  const { host, port, logger, metrics } = options;
  metrics.unsettled(() => observeIntake(data.log, Date.now));
  const running = await runWork({
    name: 'routing',
    http: { host, port },
    logger,
    metrics,
    serve: (operations) => serve(parts, operations),
    work: (context) => work(parts, context),
    close: async () => {
      await router.release();
      await data.close();
    },
  });
  return {
    ...running,
    data,
    firstRun: async () =>
      options.examples && (await data.log.end(TOPICS.samples)) === 0n
        ? await routeExamples(data, running.signal)
        : [],
  };
}

async function serve(
  { options, data, control, ledger, vault }: Parts,
  operations: Operations,
): Promise<Intake> {
  const { host, port, tokens, logger, metrics } = options;
  return await startIntake({
    host,
    port,
    ...defined({ tokens }),
    appender: data.log,
    status: { find: (submission) => data.log.findSubmission(submission) },
    consents: { history: (consentId) => data.log.consentHistory(consentId) },
    operations,
    routes: (server) => {
      ledgerRoutes(server.app, ledger.store);
      if (vault !== undefined)
        vaultRoutes(server, {
          vaults: vault.vaults,
          askers: askersOf(vault.folder),
          result: metrics.vault([...vault.vaults.keys()]).answered,
        });
    },
    draining: () => control.state.mode === 'draining',
    answered: metrics.http([...INTAKE_ROUTES, ...(vault === undefined ? [] : VAULT_ROUTES)])
      .answered,
    log: {
      error: (fields, message) => {
        logger.error(message, fields);
      },
    },
  });
}

/**
 * A failure of one work ends the others: if the ledger is refused, a person must act. A ledger that
 * waits does not hold up routing.
 */
async function work(parts: Parts, { signal, waits, started, paused }: WorkContext): Promise<void> {
  const { options, data, control } = parts;
  control.report(paused);
  started();
  let position: string | undefined;
  const waiting = new SharedWait((error) => {
    waits(error, { position });
  });
  const retention = startRetention(data.log, options.retainMs, options.logger);
  try {
    await allOrNone(signal, (together) => [
      route(parts, together, (error, offset) => {
        position = offset === undefined ? undefined : formatPosition(positionOf(data, offset));
        waiting.of('routing', error);
      }),
      grow(parts, together),
      custody(parts, together, (error) => {
        waiting.of('custody', error);
      }),
      control.follow(together),
      ...(options.onWithdrawal === 'erase'
        ? [
            followWithdrawals(
              new Withdrawals(data.log, control.view),
              (error) => {
                waiting.of('withdrawals', error);
              },
              together,
            ),
          ]
        : []),
      followClock(
        data.log,
        (error) => {
          waiting.of('clock', error);
        },
        together,
      ),
    ]);
  } finally {
    await retention.stop();
  }
}

async function route(
  { options: { logger }, routed, router }: Parts,
  signal: AbortSignal,
  waits: (error: CodedError | undefined, offset?: bigint) => void,
): Promise<void> {
  await router.run({
    until: 'aborted',
    signal,
    source: { onRetry: waits },
    settled: ({ settlements, blocked }) => {
      for (const { event } of settlements) routed.settled(event);
      const last = settlements.at(-1)?.event.position;
      if (last !== undefined)
        logger.debug('A batch was settled.', {
          records: settlements.length,
          position: formatPosition(last),
        });
      routed.blocked(
        0,
        blocked !== undefined && blocksByItself(blocked) ? blocked.offset : undefined,
      );
      waits(blocked?.error, blocked?.offset);
    },
  });
}

async function custody(
  { options: { logger, metrics }, data, control, router, regions, desks }: Parts,
  signal: AbortSignal,
  waits: (error: unknown) => void,
): Promise<void> {
  await keepEmbeddedCustody({
    data,
    active: (region, desk) => desks.opened(region, desk),
    sites: router.sites,
    control: () => control.state,
    signal,
    logger,
    metrics: metrics.custody({ sites: [...regions.values()].flat(), unpaidCodes: UNPAID_CODES }),
    waits,
  });
}

function positionOf({ log }: DataDirectory, offset: bigint): Position {
  return { log: log.name, topic: TOPICS.samples, partition: 0, offset };
}

/** The least time between two checkpoints, milliseconds. */
const CHECKPOINT_MS = 5_000;
const now = (): number => performance.now();

async function grow(parts: Parts, signal: AbortSignal): Promise<void> {
  const { data, options, ledger } = parts;
  const ledgers = options.metrics.ledger();
  const reported = (): ((error: unknown) => void) => {
    let waited: string | undefined;
    return (error) => {
      const code = codeOf(error);
      if (code !== undefined && code !== waited)
        options.logger.warn('The ledger waits.', { error });
      waited = code;
    };
  };
  const growOne = async (one: EmbeddedLedger, stop: AbortSignal): Promise<void> => {
    await keepGrowing({
      ...one,
      ...(one === ledger ? { regions: new RecentRegions() } : {}),
      intervalMs: CHECKPOINT_MS,
      now,
      signal: stop,
      logger: options.logger,
      metrics: ledgers,
      waits: reported(),
    });
  };
  const openAndGrow = async (of: TopicPartition, stop: AbortSignal): Promise<void> => {
    await growOne(await openEmbeddedLedger(data, of), stop);
  };
  const policies = data.log.policyView();
  await allOrNone(signal, (together) => [
    growOne(ledger, together),
    ...RECORD_LOGS.map((of) => openAndGrow(of, together)),
    inEachCustodyLog(
      {
        policies: async () => (await policies.read()).versions,
        signal: together,
        waits: reported(),
      },
      openAndGrow,
    ),
  ]);
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
