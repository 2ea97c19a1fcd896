import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sha256 } from '@residency/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from './residency.ts';

const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)];
const SAMPLE = Buffer.from('a sample');
const NAME = `${sha256(SAMPLE)}.bin`;
const WHY = ['--purpose', 'detection', '--reference', 'CASE-4711', '--form', 'raw', '--out', 'out'];

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A vault that records every access at once, and answers for samples as `sample` says. */
async function fakeVault(sample: Answer, request: Answer = accessed): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume().once('end', () => {
      (incoming.method === 'GET' ? sample : request)(outgoing, incoming);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/under/a/path`;
}

const accessed: Answer = (response, { url = '' }) => {
  const access = url.split('?')[0]?.split('/').at(-1);
  json(response, 201, {
    access,
    state: 'accessed',
    until: '2999-01-01T00:00:00.000Z',
    missingApprovals: 0,
  });
};

function json(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': '0' })
    .end(JSON.stringify(body));
}

function give(response: ServerResponse, disposition: string, bytes: Buffer): void {
  response
    .writeHead(200, { 'content-disposition': disposition, 'content-length': String(SAMPLE.length) })
    .end(bytes);
}

const attachment = (name: string): string => `attachment; filename="${name}"`;

it('a vault that is unavailable for a while is asked again, after the time it says', async () => {
  const folder = await temporaryFolder();
  const codes = ['CHECKPOINT_PENDING', 'BUSY'];
  const seen: unknown[] = [];
  const url = await fakeVault((response, { headers, url: path }) => {
    seen.push([headers.authorization, path?.endsWith('/sample?region=zurich')]);
    const code = codes.shift();
    if (code === undefined) give(response, attachment(NAME), SAMPLE);
    else json(response, 503, { code, detail: 'Later.' });
  });
  const ended = await folder.runWith(
    { RESIDENCY_VAULT_URL: url, RESIDENCY_VAULT_TOKEN: 'token' },
    'sample',
    'get',
    ONE,
    ...WHY,
    '--region',
    'zurich',
  );
  expect([ended.code, ended.err]).toEqual([0, expect.stringContaining('(CHECKPOINT_PENDING)')]);
  expect(seen).toEqual(Array.from({ length: 3 }, () => ['Bearer token', true]));
});

it.each([
  ['a path for a name', attachment(`../${NAME}`), SAMPLE, 1, 'NOT_A_VAULT'],
  ['no name', 'inline', SAMPLE, 1, 'NOT_A_VAULT'],
  [
    'other bytes than its name says',
    attachment(NAME),
    Buffer.from('no sampl'),
    3,
    'TRANSFER_BROKEN',
  ],
])('%s is not saved', async (_, disposition, bytes, code, said) => {
  const folder = await temporaryFolder();
  const url = await fakeVault((response) => {
    give(response, disposition, bytes);
  });
  const ended = await folder.run('sample', 'get', ONE, ...WHY, '--vault', url);
  expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(said)]);
  expect((await readdir(join(folder.path, 'out'))).filter((name) => !name.startsWith('.'))).toEqual(
    [],
  );
});

it('a sample whose site is away, or whose transfer breaks, is asked for once and does not stop a list, which ends with 3', async () => {
  const folder = await temporaryFolder();
  const accesses: string[] = [];
  let samples = 0;
  const url = await fakeVault(
    (response, { url: path = '' }) => {
      samples += 1;
      if (path.includes(accesses[0] ?? '-'))
        json(response, 503, { code: 'SAMPLE_AWAY', detail: 'Expected a site.' });
      else if (path.includes(accesses[1] ?? '-'))
        response
          .writeHead(200, { 'content-disposition': attachment(NAME), 'content-length': '100' })
          .write('half', () => response.destroy());
      else give(response, attachment(NAME), SAMPLE);
    },
    (response, request) => {
      accesses.push(request.url?.split('/').at(-1) ?? '');
      accessed(response, request);
    },
  );
  await writeFile(join(folder.path, 'list'), [ONE, TWO, '3'.repeat(64)].join('\n'));
  const rows = await folder.json(3, 'sample', 'get', '--from', 'list', ...WHY, '--vault', url);
  expect(rows.map(({ state, code }) => [state, code])).toEqual([
    ['away', 'SAMPLE_AWAY'],
    ['away', 'TRANSFER_BROKEN'],
    ['saved', undefined],
  ]);
  expect(samples).toBe(3);
});

it('an access whose lifetime is over gets a new id only with --again', async () => {
  const folder = await temporaryFolder();
  const over = new Set<string>();
  const stale = new Set<string>();
  const asked: string[] = [];
  const url = await fakeVault(
    (response, { url: path = '' }) => {
      const access = path.split('/').at(-2) ?? '';
      if (over.has(access)) json(response, 410, { code: 'ACCESS_EXPIRED', detail: 'Over.' });
      else json(response, 409, { code: 'NOT_APPROVED', detail: 'Too few.' });
    },
    (response, request) => {
      const access = request.url?.split('/').at(-1) ?? '';
      asked.push(access);
      if (stale.has(access)) json(response, 400, { code: 'ACCESS_ID_STALE', detail: 'Old.' });
      else accessed(response, request);
    },
  );
  const get = async (...more: readonly string[]): Promise<unknown> =>
    (await folder.json(1, 'sample', 'get', ONE, ...WHY, '--vault', url, ...more))[0]?.['state'];
  expect(await get()).toBe('waits');
  expect(await get('--again')).toBe('waits');
  expect(new Set(asked).size).toBe(1);
  // Too old to be asked for again, but not over.
  stale.add(asked[0] ?? '');
  expect(await get('--again')).toBe('waits');
  expect(new Set(asked).size).toBe(1);
  over.add(asked[0] ?? '');
  expect(await get()).toBe('over');
  expect(new Set(asked).size).toBe(1);
  expect(await get('--again')).toBe('waits');
  expect(await get()).toBe('waits');
  expect(new Set(asked).size).toBe(2);
});

it('the first new id is asked for alone, also behind known ones, and what is refused for all ends the list', async () => {
  const folder = await temporaryFolder();
  const asked = new Set<string>();
  let refuses = false;
  const url = await fakeVault(
    (response) => {
      if (refuses) json(response, 410, { code: 'ACCESS_EXPIRED', detail: 'Over.' });
      else json(response, 409, { code: 'NOT_APPROVED', detail: 'Too few.' });
    },
    (response, request) => {
      const access = request.url?.split('/').at(-1) ?? '';
      const isNew = !asked.has(access);
      asked.add(access);
      if (refuses && isNew) json(response, 429, { code: 'LIMIT_REACHED', detail: 'Too many.' });
      else accessed(response, request);
    },
  );
  const list = Array.from({ length: 8 }, (_, at) => String(at).repeat(64));
  const get = async (count: number, ...more: readonly string[]): Promise<unknown[]> => {
    await writeFile(join(folder.path, 'list'), list.slice(0, count).join('\n'));
    const args = ['--from', 'list', ...WHY, '--vault', url, ...more];
    return (await folder.json(1, 'sample', 'get', ...args)).map(({ state, code }) => code ?? state);
  };
  expect(await get(4)).toEqual(['waits', 'waits', 'waits', 'waits']);
  refuses = true;
  expect(await get(8)).toEqual(['over', 'over', 'over', 'over', 'LIMIT_REACHED']);
  expect(asked.size).toBe(5);
  expect(await get(4, '--again')).toEqual(['LIMIT_REACHED']);
  expect(asked.size).toBe(6);
});

it('a submission that is in a list twice is one access, also with --again', async () => {
  const folder = await temporaryFolder();
  const over = new Set<string>();
  const asked = new Set<string>();
  const url = await fakeVault(
    (response, { url: path = '' }) => {
      if (over.has(path.split('/').at(-2) ?? ''))
        json(response, 410, { code: 'ACCESS_EXPIRED', detail: 'Over.' });
      else json(response, 409, { code: 'NOT_APPROVED', detail: 'Too few.' });
    },
    (response, request) => {
      asked.add(request.url?.split('/').at(-1) ?? '');
      accessed(response, request);
    },
  );
  await writeFile(join(folder.path, 'list'), `${ONE}\n${ONE}\n`);
  for (const count of [1, 2]) {
    const args = ['--from', 'list', ...WHY, '--vault', url, '--again'];
    const rows = await folder.json(1, 'sample', 'get', ...args);
    expect([rows.map(({ state }) => state), asked.size]).toEqual([['waits', 'waits'], count]);
    for (const access of asked) over.add(access);
  }
});

it.each([
  ['an intake', 404, { code: 'PATH_UNKNOWN', detail: 'x' }, 1, 'NOT_A_VAULT'],
  ['a page', 200, {}, 1, 'NOT_A_VAULT'],
  [
    'one that does not know the token',
    401,
    { code: 'TOKEN_UNKNOWN', detail: 'x' },
    2,
    'TOKEN_REFUSED',
  ],
  ['one that gives no reason', 401, {}, 2, 'no reason that could be read. (TOKEN_REFUSED)'],
  ['one that is unavailable', 503, { code: 'CUSTODIAN_NOT_ACTIVE' }, 3, 'VAULT_UNAVAILABLE'],
  [
    'one that says no',
    403,
    { code: 'PURPOSE_NOT_ALLOWED', detail: 'No \u001b[2J.' },
    1,
    'No ?[2J. (PURPOSE_NOT_ALLOWED)',
  ],
])('%s ends a command as its exit codes say', async (_, status, body, code, said) => {
  const folder = await temporaryFolder();
  const answer: Answer = (response) => {
    json(response, status, body);
  };
  const url = await fakeVault(answer, answer);
  const access = '019e34c6-0b5e-7a1f-8c2d-3e4f5a6b7c8d';
  for (const args of [
    ['request', ONE, ...WHY.slice(0, 6)],
    ['approve', access],
    ['get', ONE, ...WHY],
  ]) {
    const ended = await folder.run('sample', ...args, '--vault', url);
    expect([args[0], ended.code, ended.err]).toEqual([
      args[0],
      code,
      expect.stringContaining(said),
    ]);
  }
});

it('nobody at the address is 3, and what is used wrongly 2, without a word of the reference', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'key'), 'no key, CASE-4711');
  await writeFile(join(folder.path, 'file'), '');
  const none = ['--vault', 'http://127.0.0.1:1'];
  for (const [code, ...args] of [
    [3, 'sample', 'get', ONE, ...WHY, ...none],
    [3, 'sample', 'approve', '019e34c6-0b5e-7a1f-8c2d-3e4f5a6b7c8d', ...none],
    [2, 'sample', 'get', ...WHY, ...none],
    [2, 'sample', 'get', 'nonsense', ...WHY, ...none],
    [2, 'sample', 'get', ONE, '--out', 'out', ...none],
    [2, 'sample', 'get', ONE, '--from', '-', ...WHY, ...none],
    [2, 'sample', 'get', '--from', 'nowhere', ...WHY, ...none],
    [2, 'sample', 'get', ONE, ...WHY, '--vault', 'ftp://host'],
    [2, 'sample', 'get', ONE, ...WHY, '--config', 'file'],
    [2, 'sample', 'get', ONE, ...WHY, '--form', 'exe'],
    [2, 'sample', 'get', ONE, ...WHY.slice(0, 6), '--out', 'file', ...none],
    [2, 'sample', 'approve', '0f8fad5b-d9cb-469f-a165-70867728950e', ...none],
    [
      2,
      'sample',
      'request',
      ONE,
      '--purpose',
      'detection',
      '--reference',
      `CASE-4711${'x'.repeat(300)}`,
      ...none,
    ],
    [2, 'audit', 'accesses', '--reference', 'CASE-4711', '--reference-key', 'key'],
    [2, 'audit', 'accesses', '--csv', '--json'],
    [2, 'audit', 'accesses', '--since', '2026-01-02', '--until', '2026-01-01'],
  ] as const) {
    const ended = await folder.run(...args);
    expect([args, ended.code]).toEqual([args, code]);
    expect(ended.err).not.toMatch(/CASE-4711|NOT_THERE/);
    expect(ended.err).not.toMatch(/^\s+at /m);
  }
});
