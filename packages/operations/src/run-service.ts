import { remedyOf } from '@residency/coded-error';

/** The process around a service; `process` itself is one. */
export interface Host {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): never;
  exitCode?: number | string | null | undefined;
}

export interface Service {
  /** Settles when the work ends by itself: rejects with what needs a person. */
  readonly ended: Promise<void>;
  /** Finishes or abandons what is in hand and frees port and connections. Repeatable. */
  stop(): Promise<void>;
}

export interface ServiceTerms {
  /** Until it resolves nothing works yet; `signal` is aborted when the process is told to stop meanwhile. */
  readonly start: (signal: AbortSignal) => Promise<Service>;
  readonly report: (message: string, fields: { readonly error: unknown }) => void;
  /** How long a stop may take before the process ends all the same, milliseconds. */
  readonly graceMs: number;
}

/** 0 done, 1 found something wrong, 2 used wrongly, 3 could not reach something. */
const EXIT = { done: 0, found: 1, usage: 2, unreachable: 3 } as const;

/** So long what a client library has not let go of keeps the process, once everything in hand is finished. */
const LINGER_MS = 1_000;

/** Runs a service until it ends or a signal says so; a second signal, or the end of the grace period, ends it at once. */
export async function runService(
  { start, report, graceMs }: ServiceTerms,
  host: Host,
): Promise<void> {
  const stop = new AbortController();
  const told = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    host.on(signal, () => {
      if (stop.signal.aborted) host.exit(EXIT.found);
      stop.abort();
      told.resolve();
    });
  }
  try {
    const service = await start(stop.signal);
    try {
      await Promise.race([service.ended, told.promise]);
    } finally {
      const late = setTimeout(() => host.exit(EXIT.found), graceMs);
      await service.stop();
      clearTimeout(late);
    }
    await service.ended;
  } catch (error) {
    // Told to stop while it started: what did not come up is no finding.
    if (stop.signal.aborted && remedyOf(error) === 'retry') return;
    report('The service ends: this needs a person.', { error });
    host.exitCode = exitCodeOf(error);
  } finally {
    // Everything is closed. A connection that a client library lost count of (kafkajs does) must not keep the process.
    setTimeout(() => host.exit(Number(host.exitCode ?? EXIT.done)), LINGER_MS).unref();
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Error && 'code' in error && error.code === 'CONFIGURATION_INVALID')
    return EXIT.usage;
  return remedyOf(error) === 'retry' ? EXIT.unreachable : EXIT.found;
}
