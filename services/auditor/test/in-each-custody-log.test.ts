import { readFile } from 'node:fs/promises';
import { CodedError } from '@residency/coded-error';
import { readPolicy } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import { expect, test } from 'vitest';
import { inEachCustodyLog } from '../src/index.ts';

const FIRST = new URL('../../../policy/residency-1.json', import.meta.url);
const published = async (): Promise<PolicyPublished> => ({
  ...readPolicy(await readFile(FIRST)),
  appendedAt: 0,
});

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });

class Failed extends CodedError {
  constructor(code: string, remedy: 'retry' | 'stop') {
    super({ code, remedy, message: code });
  }
}

test('begins with the regions of the policies, once each, and with those that come later', async () => {
  const version = await published();
  const stop = new AbortController();
  const begun: TopicPartition[] = [];
  let asked = 0;
  const waited: unknown[] = [];
  await inEachCustodyLog(
    {
      policies: () => {
        asked += 1;
        if (asked === 1) return Promise.resolve([]);
        if (asked === 2) return Promise.reject(new Failed('VIEW_NOT_READ', 'retry'));
        if (asked === 5) stop.abort();
        return Promise.resolve([version]);
      },
      signal: stop.signal,
      waits: (error) => waited.push(error),
      everyMs: 1,
    },
    async (of, signal) => {
      begun.push(of);
      await aborted(signal);
    },
  );
  expect(begun).toEqual([
    { topic: 'residency.custody.moscow', partition: 0 },
    { topic: 'residency.custody.zurich', partition: 0 },
  ]);
  expect(waited.filter((error) => error !== undefined)).toMatchObject([{ code: 'VIEW_NOT_READ' }]);
});

test('a failure of one ends the others, and is what it rejects with', async () => {
  const version = await published();
  let ended = 0;
  await expect(
    inEachCustodyLog(
      {
        policies: () => Promise.resolve([version]),
        signal: new AbortController().signal,
        waits: () => undefined,
        everyMs: 1,
      },
      async ({ topic }, signal) => {
        if (topic.endsWith('zurich')) throw new Failed('LEDGER_FORK', 'stop');
        await aborted(signal);
        ended += 1;
      },
    ),
  ).rejects.toMatchObject({ code: 'LEDGER_FORK' });
  expect(ended).toBe(1);
});

test('policies that will never be read end it', async () => {
  await expect(
    inEachCustodyLog(
      {
        policies: () => Promise.reject(new Failed('LOG_REPLACED', 'stop')),
        signal: new AbortController().signal,
        waits: () => undefined,
      },
      () => Promise.resolve(),
    ),
  ).rejects.toMatchObject({ code: 'LOG_REPLACED' });
});
