import { remedyOf } from '@residency/coded-error';
import { unlessAborted } from '@residency/waiting';

/**
 * Signals that stop the service. A closed terminal sends SIGHUP; work in progress is finished then
 * too.
 */
const STOPPING = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The process around a service; `process` itself is one. */
export interface Host {
  on(signal: (typeof STOPPING)[number] | 'SIGUSR1', listener: () => void): unknown;
  exit(code: number): never;
  exitCode?: number | string | null | undefined;
}

export interface Service {
  /** Settles when the work ends by itself. Rejects with an error that needs a person. */
  readonly ended: Promise<void>;
  /** Finishes or abandons work in progress, and frees port and connections. May be called again. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /**
   * Resolves once the service works. `signal` is aborted if the process receives a stop signal
   * before that.
   */
  readonly start: (signal: AbortSignal) => Promise<Service>;
  readonly report: (message: string, fields: { readonly error: unknown }) => void;
  /** The longest time of a stop, milliseconds. After it the process exits. */
  readonly graceMs: number;
}

/** 0 done, 1 found something wrong, 2 used wrongly, 3 could not reach something. */
const EXIT = { done: 0, found: 1, usage: 2, unreachable: 3 } as const;

/** How long open handles of a client library keep the process after all work is finished. */
const LINGER_MS = 1_000;

/**
 * Runs a service until it ends or a signal arrives. A second signal, or the end of the grace
 * period, ends it at once.
 */
export async function runService(
  { start, report, graceMs }: ServiceOptions,
  host: Host,
): Promise<void> {
  const stop = new AbortController();
  // By default Node opens a debugger at this signal, which can read and change everything in the
  // process.
  host.on('SIGUSR1', () => undefined);
  for (const signal of STOPPING) {
    host.on(signal, () => {
      if (stop.signal.aborted) host.exit(EXIT.found);
      stop.abort();
    });
  }
  try {
    await runUntilStopped(await start(stop.signal), {
      signal: stop.signal,
      graceMs,
      late: () => host.exit(EXIT.found),
    });
  } catch (error) {
    // Stopped during its start: a retryable failure of the start is not reported.
    if (stop.signal.aborted && remedyOf(error) === 'retry') return;
    report('The service ends: this needs a person.', { error });
    host.exitCode = exitCodeOf(error);
  } finally {
    // Everything is closed. A connection that a client library leaked (kafkajs does) must not keep
    // the process.
    setTimeout(() => host.exit(Number(host.exitCode ?? EXIT.done)), LINGER_MS).unref();
  }
}

export interface StopOptions {
  /** Aborted when the service is to stop. */
  readonly signal: AbortSignal;
  /** How long the stop may take, milliseconds. */
  readonly graceMs: number;
  /** Called if it takes longer. */
  readonly late: () => void;
}

/**
 * Waits until the service ends or `signal` is aborted, and stops it in either case. Rejects with
 * the error that ended it.
 */
export async function runUntilStopped(
  service: Service,
  { signal, graceMs, late }: StopOptions,
): Promise<void> {
  try {
    await unlessAborted(service.ended, signal);
  } finally {
    const timer = setTimeout(late, graceMs);
    await service.stop();
    clearTimeout(timer);
  }
  await service.ended;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Error && 'code' in error && error.code === 'CONFIGURATION_INVALID')
    return EXIT.usage;
  return remedyOf(error) === 'retry' ? EXIT.unreachable : EXIT.found;
}
