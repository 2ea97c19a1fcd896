import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from './residency.ts';
import { start } from './start.ts';

const TOKEN = 'a'.repeat(40);

it('a running intake takes what the command line sends with a token, and answers it', async () => {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder.path, 'tokens.json'),
    JSON.stringify([{ token: TOKEN, scopes: ['submissions', 'consents'] }]),
  );
  await writeFile(join(folder.path, 'token'), `${TOKEN}\n`);
  await writeFile(join(folder.path, 'f'), 'sample');
  await writeFile(join(folder.path, 'g'), 'other sample');
  const running = await start(
    folder,
    '--data',
    'data',
    '--tokens',
    'tokens.json',
    '--retain',
    '30',
  );
  const at = ['--url', running.url, '--token-file', 'token'];
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's', ...at);
  expect(await folder.json(0, 'consent', 'show', '--consent', 'consent-0001', ...at)).toMatchObject(
    [
      {
        consentId: 'consent-0001',
        intervals: [{ purposes: ['threat-sample-sharing'], termsVersion: 'unspecified' }],
      },
    ],
  );
  const published = await folder.json(
    0,
    'publish',
    'f',
    'g',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    ...at,
  );
  expect(published.map(({ path, position }) => [path, position.replace(/^[^/]*/, '')])).toEqual([
    ['f', '/threat.samples/0/0'],
    ['g', '/threat.samples/0/1'],
  ]);
  const one = await folder.json(
    0,
    'publish',
    'f',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    ...at,
  );
  expect(one[0]?.['submission']).toBe(published[0]?.['submission']);
  await expect
    .poll(async () =>
      (
        await folder.json(0, 'status', String(published[0]?.['submission']), ...at)
      )[0]?.outcomes.map(({ outcome }) => outcome),
    )
    .toEqual(['stored', 'duplicate']);
  expect((await folder.run('status', '0'.repeat(64), ...at)).code).toBe(1);
  const denied = await folder.run(
    'publish',
    'f',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--url',
    running.url,
  );
  expect([denied.code, denied.err]).toEqual([2, expect.stringContaining('HTTP 401')]);
  expect((await folder.run('route', '--once', '--data', 'data')).code).toBe(3);
  // Reading goes on beside it.
  expect((await folder.run('audit', 'list', '--data', 'data')).code).toBe(0);
  // No examples in a data directory that was named.
  expect(running.output()).not.toContain('invoice.pdf');
  expect(await running.stop('SIGTERM')).toBe(0);
  expect((await folder.run('status', '0'.repeat(64), ...at)).code).toBe(3);
});

it('only the first start on the default directory routes the examples', async () => {
  const folder = await temporaryFolder();
  const running = await start(folder);
  await expect
    .poll(() => running.output())
    .toMatch(
      /example +country +outcome +where +why\ninvoice\.pdf +CH +stored +zurich +zurich-europe: GTI §1/,
    );
  expect(await running.stop('SIGINT')).toBe(0);
  const again = await start(folder);
  expect(await again.stop('SIGHUP')).toBe(0);
  expect(again.output()).not.toContain('invoice.pdf');
});

it('a start that can not be is told so', async () => {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder.path, 'tokens.json'),
    `[{"token":"${TOKEN}","scopes":["everything"]}]`,
  );
  await writeFile(join(folder.path, 'file'), '');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => {
    taken.close();
  });
  const port = String((taken.address() as AddressInfo).port);
  for (const [args, code, said] of [
    [['--port', port], 3, 'PORT_IN_USE'],
    [['--host', '0.0.0.0', '--port', '0'], 2, 'TOKENS_REQUIRED'],
    [['--tokens', 'tokens.json'], 2, 'tokens file'],
    [['--tokens', 'missing'], 2, 'FILE_UNREADABLE'],
    [['--port', '65536'], 2, '--port'],
    [['--data', 'file'], 2, 'data directory'],
  ] as const) {
    const ended = await folder.run('start', '--no-examples', ...args);
    expect([args, ended.code, ended.err]).toEqual([args, code, expect.stringContaining(said)]);
    expect(ended.err).not.toContain(TOKEN);
    expect(ended.err.trimEnd().split('\n').length).toBeLessThan(4);
  }
});

async function fake(answer: RequestListener): Promise<Server & { readonly url: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return Object.assign(server, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/intake`,
  });
}

it('an intake that is unavailable for a while is asked again, after the time it says', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), 'sample');
  const seen: (string | undefined)[] = [];
  const server = await fake((request, response) => {
    seen.push(
      `${request.method} ${request.url} ${String(request.headers['ce-usercountry'])} ${request.headers.authorization}`,
    );
    request.resume().once('end', () => {
      if (seen.length < 3) response.writeHead(503, { 'retry-after': '0' }).end();
      else
        response
          .writeHead(202, { 'content-type': 'application/json' })
          .end(JSON.stringify({ accepted: [{ position: 'p', submission: 's' }] }));
    });
  });
  expect(
    await folder.json(
      0,
      'publish',
      'f',
      '--country',
      'any thing',
      '--consent',
      'c',
      '--url',
      server.url,
    ),
  ).toEqual([{ path: 'f', submission: 's', position: 'p' }]);
  expect(seen).toEqual(
    Array.from({ length: 3 }, () => 'POST /intake/events any%20thing undefined'),
  );
});

it.each([
  ['a page', 200, '<html>', 1, 'NOT_AN_INTAKE'],
  ['an answer for other events', 202, '{"accepted":[]}', 1, 'NOT_AN_INTAKE'],
  ['a problem', 413, '{"detail":"Expected less \\u001b[2J."}', 1, 'HTTP 413: Expected less ?[2J.'],
  ['a redirect', 307, '', 3, 'INTAKE_UNREACHABLE'],
])('%s from --url is no success', async (_, status, body, code, said) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'f'), 'sample');
  const server = await fake((request, response) => {
    request
      .resume()
      .once('end', () =>
        response
          .writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' })
          .end(body),
      );
  });
  const ended = await folder.run(
    'publish',
    'f',
    '--country',
    'CH',
    '--consent',
    'c',
    '--url',
    server.url,
  );
  if (status === 200)
    expect([ended.code, ended.err]).toEqual([
      1,
      expect.stringMatching(/INTAKE_REFUSED|NOT_AN_INTAKE/),
    ]);
  else expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(said)]);
  await expect(readFile(join(folder.path, '.residency/residency.json'))).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
