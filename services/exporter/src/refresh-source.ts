import { codeOf } from '@residency/coded-error';
import { pause } from '@residency/waiting';
import { sourceFailed, sourceLate } from './exporter-error.ts';
import type { Source } from './source.ts';

export interface RefreshOptions {
  readonly intervalMs: number;
  /** How long a read may take until the source counts as unknown. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /**
   * Callback after each read: `undefined`, or why the source is unknown.
   */
  readonly onRead: (source: Source, error: unknown) => void;
}

/**
 * Reads a source and sets its metrics again and again, until `signal` is aborted. Never rejects. A
 * read that is under way then is not waited for.
 */
export async function refreshSource(source: Source, terms: RefreshOptions): Promise<void> {
  const { intervalMs, signal } = terms;
  while (!signal.aborted) {
    const began = performance.now();
    const again = await refreshOnce(source, terms);
    if (again === 'later')
      await pause(Math.max(0, intervalMs - (performance.now() - began)), signal);
  }
}

async function refreshOnce(
  source: Source,
  { patienceMs, signal, onRead }: RefreshOptions,
): Promise<'later' | 'at once'> {
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  signal.addEventListener('abort', end, { once: true });
  const reading = read(source, signal);
  try {
    const { outcome } = await Promise.race([reading, silence(patienceMs, over.signal)]);
    if (signal.aborted) return 'later';
    if (outcome !== 'late') {
      onRead(source, show(source, outcome));
      return 'later';
    }
    source.forget();
    onRead(source, sourceLate(source.name, patienceMs));
    const { outcome: late } = await Promise.race([reading, silence(FOR_EVER_MS, over.signal)]);
    // What it read by now is of then: it is read anew at once.
    return typeof late === 'function' ? 'at once' : 'later';
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}

/** A function sets the metrics. */
interface Reading {
  readonly outcome: (() => void) | Error | 'late';
}

async function read(
  source: Source,
  signal: AbortSignal,
): Promise<{ readonly outcome: (() => void) | Error }> {
  try {
    return { outcome: await source.read(signal) };
  } catch (error) {
    return { outcome: coded(source, error) };
  }
}

/** Resolves after so long, or where `over` is aborted. */
async function silence(milliseconds: number, over: AbortSignal): Promise<Reading> {
  await pause(milliseconds, over);
  return { outcome: 'late' };
}

/** The longest a timer can wait. */
const FOR_EVER_MS = 2 ** 31 - 1;

/** Sets the metrics; returns why the source is unknown. */
function show(source: Source, outcome: (() => void) | Error): unknown {
  if (typeof outcome === 'function') {
    try {
      outcome();
      return undefined;
    } catch (error) {
      source.forget();
      return coded(source, error);
    }
  }
  source.forget();
  return outcome;
}

function coded(source: Source, error: unknown): Error {
  return error instanceof Error && codeOf(error) !== undefined
    ? error
    : sourceFailed(source.name, error);
}
