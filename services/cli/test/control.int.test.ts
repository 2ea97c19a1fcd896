import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';
import { start } from './start.ts';

const DATA = ['--data', 'data'];

/** A data directory with a consent and a file to publish. */
async function prepared(): Promise<{
  readonly folder: Folder;
  readonly publish: () => Promise<string>;
}> {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), 'sample');
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's', ...DATA);
  let published = 0;
  return {
    folder,
    publish: async () => {
      const [row] = await folder.json(
        0,
        'publish',
        'f',
        '--country',
        'CH',
        '--consent',
        'consent-0001',
        '--source',
        `urn:test:${(published += 1)}`,
        ...DATA,
      );
      return String(row?.['submission']);
    },
  };
}

const event = {
  'content-type': 'text/plain',
  'ce-specversion': '1.0',
  'ce-source': 'urn:test',
  'ce-type': 'threat.sample.submitted.v1',
  'ce-usercountry': 'CH',
  'ce-consentid': 'consent-0001',
  'ce-verdict': 'suspicious',
};
const submit = async (url: string, id: string): Promise<Response> =>
  await fetch(`${url}/events`, {
    method: 'POST',
    headers: { ...event, 'ce-id': id },
    body: 'sample',
  });

it('a pause by another process holds a running start, and its restart, until it is resumed', async () => {
  const { folder, publish } = await prepared();
  const running = await start(folder, ...DATA);
  expect(await folder.json(0, 'pause', '--reason', 'a "look" inside', ...DATA)).toMatchObject([
    { mode: 'paused', reason: 'a "look" inside' },
  ]);
  const readiness = async (url: string): Promise<string> =>
    await (await fetch(`${url}/readyz`)).text();
  // Nothing waits yet: it is said all the same.
  await expect.poll(() => readiness(running.url)).toContain('waits: ROUTING_PAUSED');
  const submission = await publish();
  expect((await fetch(`${running.url}/readyz`)).status).toBe(503);
  // Paused is no fault of the intake's.
  expect((await submit(running.url, 'while paused')).status).toBe(202);
  expect(await running.stop('SIGTERM')).toBe(0);

  const again = await start(folder, ...DATA);
  await expect.poll(() => readiness(again.url)).toContain('waits: ROUTING_PAUSED');
  expect(await folder.json(0, 'status', submission, ...DATA)).toMatchObject([{ state: 'pending' }]);
  expect((await folder.run('resume', ...DATA)).out).toMatch(
    /^The pause since \S+ \(a "look" inside\) is over\./,
  );
  await expect
    .poll(async () => (await folder.json(0, 'status', submission, ...DATA))[0]?.['state'])
    .toBe('settled');
  expect((await folder.run('resume', ...DATA)).out).toContain('nothing was changed');
  expect(await readiness(again.url)).toContain('"ready":true');
  expect(await again.stop('SIGTERM')).toBe(0);

  const lines = (await folder.run('audit', 'list', '--control', ...DATA)).out.trimEnd().split('\n');
  expect(lines.map((line) => line.slice(line.indexOf('  ') + 2))).toEqual([
    expect.stringMatching(/^residency\.routing\.paused\.v1  reason="a \\"look\\" inside" by=\S+@/),
    expect.stringMatching(/^residency\.routing\.resumed\.v1  by=\S+@/),
  ]);
});

it('a drained start refuses submissions and has settled all it took', async () => {
  const { folder, publish } = await prepared();
  const running = await start(folder, ...DATA);
  const submission = await publish();
  const drained = await folder.run('drain', '--reason', 'moved', '--timeout', '60', ...DATA);
  expect([drained.code, drained.out]).toEqual([
    0,
    expect.stringContaining('Drained: nothing waits.'),
  ]);
  expect(await folder.json(0, 'status', submission, ...DATA)).toMatchObject([{ state: 'settled' }]);
  const refused = await submit(running.url, 'refused');
  expect([refused.status, await refused.text()]).toEqual([
    503,
    expect.stringContaining('DRAINING'),
  ]);
  // The command line gets the same answer at once, from the intake or from the log itself.
  for (const where of [['--url', running.url], DATA]) {
    const command = await folder.run(
      'publish',
      'f',
      '--country',
      'CH',
      '--consent',
      'consent-0001',
      ...where,
    );
    expect([command.code, command.err]).toEqual([
      3,
      expect.stringMatching(/drained .*residency resume.*\(DRAINING\)/),
    ]);
    expect(command.err).not.toContain('trying again');
    // A withdrawal must not wait.
    expect(
      (await folder.run('consent', 'withdraw', '--consent', 'consent-0002', ...where)).code,
    ).toBe(0);
  }
  expect(await running.stop('SIGTERM')).toBe(0);
  const again = await start(folder, ...DATA);
  expect((await submit(again.url, 'refused again')).status).toBe(503);
  await folder.json(0, 'resume', ...DATA);
  await expect.poll(async () => (await submit(again.url, 'taken')).status).toBe(202);
  expect(await again.stop('SIGTERM')).toBe(0);
});

it('drain reports the records that are left after its timeout, and draining continues', async () => {
  const { folder, publish } = await prepared();
  await publish();
  await publish();
  const late = await folder.run('drain', '--reason', 'nobody routes', '--timeout', '1', ...DATA);
  expect([late.code, late.out, late.err]).toEqual([
    1,
    expect.stringContaining('2 records are not settled, in 1 partition (0: 2)'),
    expect.stringContaining('Draining:'),
  ]);
  expect(await folder.json(1, 'drain', '--reason', 'again', '--timeout', '1', ...DATA)).toEqual([
    { drained: false, unsettled: 2, partitions: { 0: 2 } },
  ]);
  expect((await folder.run('pause', '--reason', 'instead', ...DATA)).out).toContain(
    'The draining is over',
  );
});

it('what can not be followed is refused, and nothing is made or changed', async () => {
  const { folder } = await prepared();
  for (const wrong of [
    ['pause', '--reason', ''],
    ['pause', '--reason', 'a\nb'],
    ['drain', '--reason', 'x'.repeat(201)],
    ['pause'],
    ['log-level', 'loud'],
    ['log-level', 'debug', '--service', 'nobody'],
    ['drain', '--reason', 'x', '--timeout', '0'],
  ]) {
    expect([wrong, (await folder.run(...wrong, ...DATA)).code]).toEqual([wrong, 2]);
  }
  await mkdir(join(folder.path, 'empty'));
  for (const nowhere of [
    ['pause', '--reason', 'x'],
    ['resume'],
    ['drain', '--reason', 'x'],
    ['log-level', 'debug'],
    ['status'],
  ]) {
    for (const data of ['nowhere', 'empty']) {
      const ended = await folder.run(...nowhere, '--data', data);
      expect([ended.code, ended.err]).toEqual([2, expect.stringContaining('NOT_THERE')]);
    }
  }
  await expect(access(join(folder.path, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(join(folder.path, 'empty'))).toEqual([]);
  expect(await folder.json(0, 'audit', 'list', '--control', ...DATA)).toEqual([]);
  await folder.json(0, 'pause', '--reason', 'x', ...DATA);
  const refused = await folder.run('drain', '--reason', 'y', ...DATA);
  expect([refused.code, refused.err]).toEqual([
    2,
    expect.stringContaining('`residency resume` first'),
  ]);
  expect(await folder.json(0, 'audit', 'list', '--control', ...DATA)).toHaveLength(1);
});

it('a running start follows its log level', async () => {
  const { folder } = await prepared();
  expect(await folder.json(0, 'log-level', 'error', ...DATA)).toEqual([
    { service: 'all', level: 'error', logLevels: { all: 'error' } },
  ]);
  await folder.json(0, 'pause', '--reason', 'x', ...DATA);
  const running = await start(folder, ...DATA);
  const waits = async (id: string): Promise<void> => {
    expect((await submit(running.url, id)).status).toBe(202);
    await expect
      .poll(async () => await (await fetch(`${running.url}/readyz`)).text())
      .toContain('ROUTING_PAUSED');
  };
  await waits('1');
  expect(running.output()).not.toContain('Routing waits.');
  expect(await folder.json(0, 'log-level', 'default', ...DATA)).toMatchObject([{ logLevels: {} }]);
  await folder.json(0, 'resume', ...DATA);
  await expect
    .poll(async () => await (await fetch(`${running.url}/readyz`)).text())
    .toContain('"ready":true');
  await folder.json(0, 'pause', '--reason', 'x', ...DATA);
  await waits('2');
  await expect.poll(() => running.output()).toContain('Routing waits.');
});

it('log-level debug shows what a start does, and default ends it', async () => {
  const { folder, publish } = await prepared();
  const running = await start(folder, ...DATA);
  await publish();
  await folder.json(0, 'log-level', 'debug', ...DATA);
  await expect
    .poll(
      async () => {
        await publish();
        return running.output();
      },
      { interval: 500 },
    )
    .toMatch(/"level":"debug".*"msg":"A batch was settled\."/);
  expect(await running.stop('SIGTERM')).toBe(0);
});
