import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@residency/coded-error';
import { CliError } from '../cli-error.ts';

/** What a source says of itself, or the code of why it can not be asked. */
export type Told<T> = { readonly told: T } | { readonly failure: string };

/** Whatever one source does, the others are told. A defect is none of its answers, and is thrown. */
export async function tell<T>(within: number, ask: () => Promise<T>): Promise<Told<T>> {
  const over = new AbortController();
  const asked = ask();
  // Nobody waits for one that comes too late, nor for its failure.
  asked.catch(() => undefined);
  try {
    return { told: await Promise.race([asked, late(within, over.signal)]) };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || code === 'INTERRUPTED') throw error;
    return { failure: code };
  } finally {
    over.abort();
  }
}

async function late(within: number, signal: AbortSignal): Promise<never> {
  await sleep(within, undefined, { signal }).catch(() => undefined);
  throw new CliError({
    code: 'NO_ANSWER',
    message: `Expected an answer within ${within} ms, found none.`,
    remedy: 'retry',
  });
}

export function toldOf<T>(one: Told<T> | undefined): T | undefined {
  return one !== undefined && 'told' in one ? one.told : undefined;
}
