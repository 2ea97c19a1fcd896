import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@residency/coded-error';
import { sourceFailed, sourceLate } from './exporter-error.ts';
import type { Source } from './source.ts';

export interface TellingTerms {
  readonly intervalMs: number;
  /** How long a reading may take until the source counts as one that can not be told. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** After each reading in time, and each failure: `undefined`, or why the source can not be told. */
  readonly told: (source: Source, error: unknown) => void;
}

/** Tells a source of itself again and again, until `signal` is aborted; never rejects. A reading in hand is not waited for then. */
export async function tellSource(source: Source, terms: TellingTerms): Promise<void> {
  const { intervalMs, signal } = terms;
  while (!signal.aborted) {
    const began = performance.now();
    const again = await tellOnce(source, terms);
    if (again === 'later')
      await sleep(Math.max(0, intervalMs - (performance.now() - began)), undefined, {
        signal,
      }).catch(() => undefined);
  }
}

async function tellOnce(
  source: Source,
  { patienceMs, signal, told }: TellingTerms,
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
      told(source, settle(source, outcome));
      return 'later';
    }
    source.forget();
    told(source, sourceLate(source.name, patienceMs));
    const { outcome: late } = await Promise.race([reading, silence(FOR_EVER_MS, over.signal)]);
    // What it read by now is of then: it is read anew at once.
    return typeof late === 'function' ? 'at once' : 'later';
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}

/** A function: what tells the metrics. */
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
  await sleep(milliseconds, undefined, { signal: over }).catch(() => undefined);
  return { outcome: 'late' };
}

/** The longest a timer can wait. */
const FOR_EVER_MS = 2 ** 31 - 1;

/** Tells the metrics; returns why it can not be told. */
function settle(source: Source, outcome: (() => void) | Error): unknown {
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
