import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerReader, openCheckpoint } from '@residency/ledger';
import { createLogger, createMetrics } from '@residency/telemetry';
import { auditPartition, eventually } from '@residency/testkit';
import { afterEach, expect, it } from 'vitest';
import {
  bringLedgersUpToDate,
  ledgerKeys,
  openDataDirectory,
  startStandalone,
} from '../src/index.ts';
import type { DataDirectory, Standalone } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const logger = createLogger({ level: 'silent' });
const running: Standalone[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function started(data: string): Promise<Standalone> {
  const standalone = await startStandalone({
    data,
    host: '127.0.0.1',
    port: 0,
    examples: true,
    retainMs: 7 * 86_400_000,
    logger,
    metrics: createMetrics({ service: 'standalone', version: 'test', now: Date.now }),
  });
  running.push(standalone);
  return standalone;
}

async function events({ log }: DataDirectory): Promise<Buffer[]> {
  return await Array.fromAsync(log.auditRecords());
}

it('keeps a ledger of everything it settles, and serves it', async () => {
  const standalone = await started(join(await temporaryFolder(), 'data'));
  await standalone.firstRun();
  const settled = await events(standalone.data);
  const read = async (path: string): Promise<Buffer | undefined> => {
    const answer = await fetch(`${standalone.url}/ledger/0/${path}`);
    return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined;
  };
  const {
    signer: { key },
  } = await ledgerKeys(standalone.data, auditPartition());
  expect(key.name).toBe(`residency-router/${standalone.data.log.name}/0`);
  const checkpoint = await eventually(async () => {
    const bytes = await read('checkpoint');
    const opened = bytes && (await openCheckpoint(bytes, { keys: [key] })).checkpoint;
    return opened?.size === settled.length ? opened : undefined;
  });
  expect(
    (await (await LedgerReader.open(checkpoint, read)).entries(0)).map((entry) =>
      Buffer.from(entry),
    ),
  ).toEqual(settled);
  const answers = await Promise.all(
    [
      'checkpoint',
      `tile/0/000.p/${settled.length}`,
      'ledger-key',
      '../ledger-key',
      '%2e%2e/ledger-key',
    ].map((path) => fetch(`${standalone.url}/ledger/0/${path}`)),
  );
  expect(answers.map(({ status, headers }) => [status, headers.get('cache-control')])).toEqual([
    [200, 'no-cache'],
    [200, 'public, max-age=31536000, immutable'],
    [404, 'no-store'],
    [404, 'no-store'],
    [404, 'no-store'],
  ]);
  const { status, headers } = await fetch(`${standalone.url}/ledger/0/checkpoint`, {
    method: 'DELETE',
  });
  expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await (await fetch(`${standalone.url}/metrics`)).text()).toContain(
    `residency_ledger_size{topic="residency.audit",partition="0"} ${settled.length}\n`,
  );
  expect((await stat(join(standalone.data.path, 'ledger-key'))).mode & 0o777).toBe(0o600);
});

it('continues where it stopped, and a command brings the ledger up to date', async () => {
  const path = join(await temporaryFolder(), 'data');
  const one = await started(path);
  await one.firstRun();
  await one.stop();
  const data = await openDataDirectory(path);
  await bringLedgersUpToDate(data, { signal: new AbortController().signal });
  const {
    signer: { key },
  } = await ledgerKeys(data, auditPartition());
  const { checkpoint } = await openCheckpoint(
    await readFile(join(path, 'ledger', '0', 'checkpoint')),
    { keys: [key] },
  );
  expect(checkpoint.size).toBe((await events(data)).length);
  await data.close();
  await started(path);
  expect(Buffer.from(checkpoint.root)).toEqual(
    Buffer.from(
      (
        await openCheckpoint(await readFile(join(path, 'ledger', '0', 'checkpoint')), {
          keys: [key],
        })
      ).checkpoint.root,
    ),
  );
});

it('ends if the ledger contradicts the log, and signs nothing', async () => {
  const path = join(await temporaryFolder(), 'data');
  const one = await started(path);
  await one.firstRun();
  await eventually(
    async () => await readFile(join(path, 'ledger', '0', 'checkpoint')).catch(() => undefined),
  );
  await one.stop();
  const size =
    (await readFile(join(path, 'ledger', '0', 'checkpoint'), 'utf8')).split('\n')[1] ?? '';
  const tile = join(path, 'ledger', '0', 'tile', '0', `000.p`, size);
  const bytes = await readFile(tile);
  bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
  await writeFile(tile, bytes);
  // Before anything is routed.
  await expect(started(path)).rejects.toMatchObject({ code: 'ROOT_MISMATCH', remedy: 'stop' });
});

it('a key is created once, with the data directory, also by concurrent processes', async () => {
  const path = join(await temporaryFolder(), 'data');
  const all = await Promise.all(Array.from({ length: 8 }, () => openDataDirectory(path)));
  const keys = await Promise.all(all.map((data) => ledgerKeys(data, auditPartition())));
  expect(new Set(keys.map(({ signer }) => signer.key.id)).size).toBe(1);
  await Promise.all(all.map((data) => data.close()));
});
