import { once } from 'node:events';
import { CodedError } from '@residency/coded-error';
import { describe, expect, test } from 'vitest';
import { allOrNone } from '../src/index.ts';

const unreachable = new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'm', remedy: 'retry' });

describe('works that need one another', () => {
  const until = async (signal: AbortSignal, then: () => void): Promise<void> => {
    if (!signal.aborted) await once(signal, 'abort');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    then();
  };

  test('end together with the first failure', async () => {
    const ended: string[] = [];
    const works = allOrNone(new AbortController().signal, (signal) => [
      until(signal, () => {
        ended.push('one');
      }),
      Promise.reject(unreachable),
      until(signal, () => {
        throw new Error('because the other failed');
      }),
    ]).catch((error: unknown) => {
      ended.push('all');
      throw error;
    });
    await expect(works).rejects.toBe(unreachable);
    expect(ended).toEqual(['one', 'all']);
  });

  test('end without one where they are told to', async () => {
    const stop = new AbortController();
    const works = allOrNone(stop.signal, (signal) => [
      until(signal, () => undefined),
      Promise.resolve(),
    ]);
    stop.abort();
    await expect(works).resolves.toBeUndefined();
  });
});
