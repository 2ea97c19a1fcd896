import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { alterLog, temporaryFolder } from './residency.ts';
import { start } from './start.ts';

const DATA = ['--data', 'data'];
const DAY_MS = 24 * 60 * 60 * 1_000;

it('a clock far ahead of the log is refused everywhere and told, until somebody accepts it', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), 'sample');
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's', ...DATA);
  alterLog(join(folder.path, 'data/log.db'), `UPDATE meta SET last_at = last_at - ${40 * DAY_MS}`);

  const publish = ['publish', 'f', '--country', 'CH', '--consent', 'consent-0001'];
  const refused = await folder.run(...publish, ...DATA);
  expect([refused.code, refused.err]).toEqual([
    3,
    expect.stringMatching(/residency clock accept \(CLOCK_AHEAD\)/),
  ]);
  expect((await folder.run('consent', 'withdraw', '--consent', 'consent-0001', ...DATA)).code).toBe(
    3,
  );
  const doctor = await folder.json(1, 'doctor', ...DATA);
  expect(doctor.filter(({ check }) => check === 'clock')).toEqual([
    expect.objectContaining({
      state: 'wrong',
      found: expect.stringMatching(/^ahead of the log .*CLOCK_AHEAD/) as string,
    }),
  ]);

  const [status] = await folder.json(1, 'status', ...DATA);
  expect([status?.['wrong'], status?.['clock']]).toEqual([
    [expect.stringMatching(/^clock: .*CLOCK_AHEAD.*residency clock accept$/)],
    expect.objectContaining({ state: 'ahead', code: 'CLOCK_AHEAD' }),
  ]);

  const running = await start(folder, ...DATA);
  await expect
    .poll(async () => await (await fetch(`${running.url}/readyz`)).text())
    .toContain('waits: CLOCK_AHEAD');
  expect(await (await fetch(`${running.url}/metrics`)).text()).toMatch(
    /^residency_waiting\{code="CLOCK_AHEAD"\} 1$/m,
  );
  const event = {
    'content-type': 'text/plain',
    'ce-specversion': '1.0',
    'ce-source': 'urn:test',
    'ce-type': 'threat.sample.submitted.v1',
    'ce-id': '1',
    'ce-usercountry': 'CH',
    'ce-consentid': 'consent-0001',
    'ce-verdict': 'suspicious',
  };
  const answer = await fetch(`${running.url}/events`, {
    method: 'POST',
    headers: event,
    body: 'sample',
  });
  expect([answer.status, await answer.text()]).toEqual([
    503,
    expect.stringContaining('CLOCK_AHEAD'),
  ]);

  expect((await folder.run('clock', 'accept', ...DATA)).out).toMatch(/^The log goes on at /);
  await expect.poll(async () => (await fetch(`${running.url}/readyz`)).status).toBe(200);
  expect((await folder.run(...publish, '--url', running.url)).code).toBe(0);
  expect(await running.stop('SIGTERM')).toBe(0);
  expect((await folder.run('clock', 'accept', ...DATA)).code).toBe(2);
  expect((await folder.run('audit', 'list', '--control', ...DATA)).out).toContain(
    'residency.clock.accepted.v1',
  );
});
