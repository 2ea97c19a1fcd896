import { ServiceHistory } from '@residency/contracts';
import type { RetentionMode } from '@residency/reconciliation';
import type { EndedPass, LogFields } from '@residency/telemetry';
import type { Clock } from '../src/clock.ts';
import { keepReconciling } from '../src/keep-reconciling.ts';
import { ReconcilerState } from '../src/reconciler-state.ts';
import { RetentionReporter } from '../src/retention-reporter.ts';
import type { SavedState } from '../src/saved-state.ts';
import { StateKeeper, readState } from '../src/state-keeper.ts';
import type { StateStore } from '../src/state-keeper.ts';
import { DifferenceReporter } from '../src/difference-reporter.ts';
import { SITES } from './memory-system.ts';
import type { MemorySystem } from './memory-system.ts';

/** What outlives a process. */
export class Disk {
  bytes: Buffer | undefined;
}

export interface ProcessOptions {
  readonly pauseMs?: number;
  readonly resurveyMs?: number;
  readonly retention?: RetentionMode;
  /** Whether the state is written after an object, as it is within a second. */
  readonly writes?: () => boolean;
}

/**
 * Everything of a reconciler but Kafka, S3 and the probes, on a system in memory. Its log
 * lines and metrics are kept.
 */
export class ReconcilerProcess {
  readonly lines: {
    readonly level: string;
    readonly message: string;
    readonly fields: LogFields | undefined;
  }[] = [];
  readonly violated: string[] = [];
  /** The sites with what a repair would mend, as the last run found it. */
  repairable: readonly string[] = [];
  /** Samples past their time, by region, as the last run found it. */
  overdue: ReadonlyMap<string, number> = new Map();
  readonly passes: EndedPass[] = [];
  readonly waits = new Map<string, unknown>();
  readonly #stop = new AbortController();
  readonly #passed: (() => void)[] = [];
  open: readonly { readonly site: string; readonly code: string; readonly count: number }[] = [];
  checked = 0;
  failed = 0;
  /** As it was read at the start. */
  saved: SavedState | undefined;
  state: ReconcilerState | undefined;
  #killed = false;
  readonly ended: Promise<void>;

  constructor(system: MemorySystem, disk: Disk, clock: Clock, options: ProcessOptions = {}) {
    this.ended = this.#run(system, disk, clock, options);
    this.ended.catch(() => undefined);
  }

  /** Resolves once so many passes ended, or the process did. */
  async passedTimes(times: number): Promise<void> {
    while (this.passes.length < times && !this.#stop.signal.aborted)
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#passed.push(resolve);
        }),
        this.ended,
      ]);
  }

  /** As SIGKILL: nothing is written any more. */
  kill(): void {
    this.#killed = true;
    this.stop();
  }

  stop(): void {
    this.#stop.abort(new Error('Stopped.'));
    for (const resolve of this.#passed.splice(0)) resolve();
  }

  async #run(
    system: MemorySystem,
    disk: Disk,
    clock: Clock,
    { pauseMs = 1_000, resurveyMs = 600_000, writes = () => true, ...options }: ProcessOptions,
  ): Promise<void> {
    const owner = {
      log: 'log-1',
      cluster: 'cluster-1',
      places: new Map(SITES.map((site) => [site, 'somewhere'])),
    };
    const store: StateStore = {
      read: () => Promise.resolve(disk.bytes),
      replace: async (bytes) => {
        await Promise.resolve();
        if (!this.#killed) disk.bytes = Buffer.from(bytes);
      },
      setAside: () => Promise.resolve(''),
    };
    const log =
      (level: string) =>
      (message: string, fields?: LogFields): void => {
        this.lines.push({ level, message, fields });
      };
    const logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      setLevel: () => undefined,
    };
    this.saved = await readState(store, owner, logger);
    const state = new ReconcilerState(owner, this.saved);
    this.state = state;
    this.open = state.open;
    const metrics = {
      checked: () => {
        this.checked += 1;
      },
      violated: (code: string) => {
        this.violated.push(code);
      },
      open: (open: typeof this.open) => {
        this.open = [...open];
      },
      repairs: () => undefined,
      overdue: (found: readonly { readonly region: string; readonly overdue: number }[]) => {
        this.overdue = new Map(found.map(({ region, overdue }) => [region, overdue]));
      },
      failed: () => {
        this.failed += 1;
      },
      progress: () => undefined,
      recalled: () => undefined,
      outOfService: () => undefined,
      passed: (pass: EndedPass) => {
        this.passes.push(pass);
        for (const resolve of this.#passed.splice(0)) resolve();
      },
    };
    const keeper = new StateKeeper({ store, save: () => state.save(), onSaved: () => undefined });
    const { signal } = this.#stop;
    await keepReconciling({
      state,
      metrics,
      clock,
      signal,
      sites: SITES,
      pauseMs,
      resurveyMs,
      keeper: {
        soon: () => {
          if (writes()) void keeper.now();
        },
        now: () => keeper.now(),
      },
      reporter: new DifferenceReporter({
        state,
        logger,
        metrics,
        onChange: () => {
          void keeper.now();
        },
      }),
      services: () => Promise.resolve(new ServiceHistory()),
      erasures: () => Promise.resolve(system.erasures()),
      losses: () => Promise.resolve([]),
      trail: () => system.trail(signal),
      onRepairable: async ({ sites }) => {
        this.repairable = [...sites.keys()];
      },
      retention: new RetentionReporter({
        mode: options.retention ?? 'propose',
        now: () => Promise.resolve(clock.now()),
        erasures: () => Promise.resolve(system.erasures()),
        append: (entries) => system.append(entries),
        logger,
        metrics,
      }),
      readHeader: (bytes) => system.readHeader(bytes),
      examine: () => system.examine(),
      waits: (what, error) => {
        if (error === undefined) this.waits.delete(what);
        else this.waits.set(what, error);
      },
      onSiteUnreachable: (site, error) => {
        this.waits.set(site, error);
      },
      started: () => undefined,
    });
  }
}
