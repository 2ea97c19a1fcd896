import { access, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from './residency.ts';
import { start } from './start.ts';

const DATA = ['--data', 'data'];

it('status of a data directory shows waiting records with or without a running start, which shows the rest', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), 'sample');
  await folder.json(
    0,
    'consent',
    'grant',
    '--consent',
    'consent-0001',
    '--subject',
    'canary-subject',
    ...DATA,
  );
  await folder.json(0, 'publish', 'f', '--country', 'CH', '--consent', 'consent-0001', ...DATA);
  expect(await folder.json(0, 'status', ...DATA)).toMatchObject([
    {
      control: { mode: 'running' },
      intake: { unsettled: 1, worst: { partition: 0, unsettled: 1 }, lost: [] },
      policy: { inForce: 'residency/1', valid: 1 },
      flow: { appendedPerSecond: 0, settledPerSecond: 0 },
      services: [],
      wrong: [],
    },
  ]);

  const running = await start(folder, ...DATA);
  const settled = async (): Promise<unknown> =>
    (await folder.json(0, 'status', ...DATA, '--url', running.url))[0]?.['intake'];
  await expect.poll(settled).toEqual({ unsettled: 0, lost: [] });
  const { code, out, err } = await folder.run('status', ...DATA, '--url', running.url);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(
    /Nothing waits\.\n\ncontrol +running\nflow +appended 0\/s, settled 0\/s; unsettled 0\npolicy +in force residency\/1; 1 valid version\nclock +last append \S+Z\noutcomes +none between the looks\ncopies +every site has its copies\n\nservice/,
  );
  expect(out).toMatch(/^standalone +\S+ +yes/m);
  expect(out).toMatch(/^store +0\/s +0 +[\d.]+ s ago$/m);
  expect(out).not.toContain('canary-subject');

  await folder.json(0, 'pause', '--reason', 'why not', ...DATA);
  const paused = await folder.run('status', ...DATA);
  expect([paused.code, paused.out]).toEqual([1, expect.stringContaining(': why not')]);
  expect(await running.stop('SIGTERM')).toBe(0);
});

it('what is no service, no data directory or asked in two ways is told so', async () => {
  const folder = await temporaryFolder();
  const server = createServer((request, response) => {
    response.end(request.url === '/readyz' ? '{"ready":true,"checks":[]}' : '<html>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await folder.json(3, 'status', '--url', url)).toMatchObject([
    { services: [{ ready: false, waits: ['METRICS_UNREADABLE'] }] },
  ]);
  expect((await folder.run('status', '--url', 'http://u:canary@127.0.0.1:1')).err).not.toContain(
    'canary',
  );
  for (const wrong of [
    ['status'],
    ['status', ...DATA],
    ['status', '--url', url, '--config', 'c'],
    ['status', '0'.repeat(64), '--watch'],
    ['status', '--from', '2026-01-01', '--url', url],
    ['status', '--url', 'ftp://x'],
  ]) {
    expect([wrong, (await folder.run(...wrong)).code]).toEqual([wrong, 2]);
  }
  await expect(access(join(folder.path, 'data'))).rejects.toMatchObject({ code: 'ENOENT' });
});
