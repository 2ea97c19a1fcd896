import { CodedError } from '@residency/coded-error';
import { describe, expect, test } from 'vitest';
import { retryUntilReady } from '../src/index.ts';

const unreachable = new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'm', remedy: 'retry' });

describe('a step of a start', () => {
  test('is tried again while what it needs is not there yet', async () => {
    const waited: unknown[] = [];
    let tries = 0;
    const step = (): Promise<string> =>
      (tries += 1) < 3 ? Promise.reject(unreachable) : Promise.resolve('up');
    expect(
      await retryUntilReady(step, {
        signal: new AbortController().signal,
        waits: (error) => {
          waited.push(error);
        },
        firstMs: 1,
      }),
    ).toBe('up');
    expect(waited).toEqual([unreachable, unreachable]);
  });

  test('that needs a person is not tried again', async () => {
    const error = new CodedError({ code: 'SITE_MARKER_MISMATCH', message: 'm', remedy: 'stop' });
    await expect(
      retryUntilReady(() => Promise.reject(error), {
        signal: new AbortController().signal,
        waits: () => {
          throw new Error('waited');
        },
      }),
    ).rejects.toBe(error);
  });

  test('ends with its last error where the process is told to stop', async () => {
    const stop = new AbortController();
    await expect(
      retryUntilReady(() => Promise.reject(unreachable), {
        signal: stop.signal,
        waits: () => {
          stop.abort();
        },
        firstMs: 60_000,
      }),
    ).rejects.toBe(unreachable);
  });
});
