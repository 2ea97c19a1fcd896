import { once } from 'node:events';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@residency/contracts';
import { expect, it } from 'vitest';
import { gate, tokenOf, vaultWorld } from './vault-world.ts';
import type { VaultWorld } from './vault-world.ts';

const WHY = ['--purpose', 'detection', '--reference', 'CASE-4711', '--form', 'raw'];

async function files({ folder }: VaultWorld, out = 'out'): Promise<string[]> {
  return (await readdir(join(folder.path, out))).filter((name) => !name.startsWith('.')).sort();
}

const nameOf = (sample: string): string => `${sha256(Buffer.from(`sample ${sample}`))}.bin`;

it('a sample is saved under its digest for its owner only, once, and the log says who had it', async () => {
  const world = await vaultWorld('one', 'two');
  const one = world.submissions.get('one') ?? '';
  const [got] = await world.json(0, 'ana', 'get', one, ...WHY, '--out', 'out');
  expect(got).toMatchObject({ submission: one, state: 'saved', file: nameOf('one'), bytes: 10 });
  const path = join(world.folder.path, 'out', nameOf('one'));
  expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual([
    'sample one',
    0o600,
  ]);
  // Repeated: nothing is asked for. Another reference is another access, of a file that is there.
  expect(await world.json(0, 'ana', 'get', one, ...WHY, '--out', 'out')).toEqual([
    { ...got, state: 'present' },
  ]);
  expect(await world.accesses()).toHaveLength(1);
  const other = ['--purpose', 'detection', '--reference', 'CASE-4712', '--form', 'raw'];
  expect(await world.json(0, 'ana', 'get', one, ...other, '--out', 'out')).toMatchObject([
    { state: 'present' },
  ]);
  expect(await world.accesses()).toMatchObject([
    {
      region: 'zurich',
      state: 'accessed',
      access: got?.['access'],
      principal: 'ana',
      purpose: 'detection',
      form: 'raw',
      submission: one,
      bytes: 10,
    },
    { state: 'accessed', principal: 'ana' },
  ]);
  // What has the name of a sample, and is none, stays.
  await writeFile(path, 'mine');
  const taken = await world.as('ana', 'get', one, ...WHY, '--out', 'out');
  expect([taken.code, taken.err, await readFile(path, 'utf8')]).toEqual([
    1,
    expect.stringContaining('move it away, or name another --out'),
    'mine',
  ]);
  const journal = await readFile(join(world.folder.path, 'out/.residency-accesses.ndjson'), 'utf8');
  for (const secret of ['CASE-47', tokenOf('ana')])
    expect([journal, taken.out, taken.err].join('\n')).not.toContain(secret);
  // By its reference, for whoever has the key.
  const key = join(world.folder.path, '.residency/vault/reference-key');
  expect(await world.accesses('--reference', 'CASE-4711', '--reference-key', key)).toMatchObject([
    { access: got?.['access'] },
  ]);
  expect((await world.folder.run('audit', 'accesses', '--reference', 'CASE-4711')).code).toBe(2);
});

it('a command that is killed before it saved the sample is the same access when it is repeated', async () => {
  const world = await vaultWorld('one');
  const one = world.submissions.get('one') ?? '';
  const { url, waited } = await gate(world.running.url);
  const args = ['get', one, ...WHY, '--out', 'out', '--region', 'zurich'];
  const child = world.folder.spawn(['sample', ...args, '--vault', url], {
    RESIDENCY_VAULT_TOKEN: tokenOf('ana'),
  });
  await waited;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  expect(await files(world)).toEqual([]);
  const before = await world.accesses();
  expect(before).toMatchObject([{ state: 'accessed', submission: one }]);
  const [got] = await world.json(0, 'ana', 'get', one, ...WHY, '--out', 'out');
  expect([got?.['state'], got?.['access']]).toEqual(['saved', before[0]?.['access']]);
  expect(await files(world)).toEqual([nameOf('one')]);
  expect(await world.accesses()).toEqual(before);
});

it('a list is got as far as it goes: what is no submission, or not stored, does not stop it', async () => {
  const world = await vaultWorld('one', 'two', 'three');
  const ids = [...world.submissions.values()];
  await writeFile(
    join(world.folder.path, 'list'),
    [ids[0], '', 'f'.repeat(64), 'nonsense', ids[1], ids[1], ids[2]].join('\r\n'),
  );
  const rows = await world.json(1, 'ana', 'get', '--from', 'list', ...WHY, '--out', 'out');
  expect(rows.map(({ state, code, line }) => String(code ?? line ?? state)).sort()).toEqual([
    '4',
    'SUBMISSION_UNKNOWN',
    'present',
    'saved',
    'saved',
    'saved',
  ]);
  expect(await files(world)).toEqual(['one', 'two', 'three'].map(nameOf).sort());
  // The refused one was refused once, however often it is asked for; `--again` makes a new access.
  const text = await world.as('ana', 'get', '--from', 'list', ...WHY, '--out', 'out');
  expect([text.code, text.err]).toEqual([
    1,
    expect.stringMatching(
      /Saved 0 samples, 0 B; 4 already there; 1 refused; 1 no submission\.\n--again/,
    ),
  ]);
  expect(await world.accesses('--state', 'refused')).toHaveLength(1);
  await world.as('ana', 'get', '--from', 'list', ...WHY, '--out', 'out', '--again');
  expect(await world.accesses('--state', 'refused')).toHaveLength(2);
  expect(await world.accesses('--state', 'accessed')).toHaveLength(3);
});

it('what the vault would refuse for each ends a list at once, with 1', async () => {
  const world = await vaultWorld('one', 'two', 'three');
  await writeFile(join(world.folder.path, 'list'), [...world.submissions.values()].join('\n'));
  const got = async (name: 'ana' | 'dan', ...args: readonly string[]): Promise<unknown[]> => {
    const rows = await world.json(
      1,
      name,
      'get',
      '--from',
      'list',
      ...args,
      '--out',
      args[1] ?? '',
    );
    return rows.map(({ state, code }) => code ?? state);
  };
  const all = ['--reference', 'x', '--form', 'raw'];
  expect(await got('dan', '--purpose', 'detection', ...all)).toEqual(['PURPOSE_NOT_ALLOWED']);
  expect(await got('ana', '--purpose', 'unheard-of', ...all)).toEqual(['PURPOSE_UNKNOWN']);
  expect(await got('ana', '--purpose', 'rarely', '--reference', 'x', '--form', 'zip')).toEqual([
    'FORM_NOT_ALLOWED',
  ]);
  const limited = await got('ana', '--purpose', 'rarely', ...all);
  expect(limited.slice(0, 2)).toEqual(['saved', 'LIMIT_REACHED']);
  const one = world.submissions.get('one') ?? '';
  const elsewhere = ['request', one, '--purpose', 'detection', '--reference', 'x'];
  const url = world.running.url;
  const token = ['--token-file', 'token-ana', '--vault', url];
  const nowhere = await world.folder.run('sample', ...elsewhere, '--region', 'atlantis', ...token);
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('REGION_UNKNOWN')]);
  const unknown = await world.folder.run('sample', ...elsewhere, '--vault', url);
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('TOKEN_REFUSED')]);
  const many = await world.as('ana', 'get', one, '--from', 'list', ...WHY, '--out', 'out');
  expect(many.code).toBe(2);
  const long = await world.as(
    'ana',
    'request',
    one,
    '--purpose',
    'detection',
    '--reference',
    'r\u0007e'.repeat(9),
  );
  expect([long.code, long.err]).toEqual([2, expect.not.stringContaining('r\u0007e')]);
  expect((await world.as('ana', 'get', one, ...WHY, '--out', 'list')).code).toBe(2);
});

it('two people approve what a purpose needs them for, and the asker is told whom it waits for', async () => {
  const world = await vaultWorld('one');
  const one = world.submissions.get('one') ?? '';
  const why = ['--purpose', 'third-party-request', '--reference', 'LETTER-7', '--form', 'raw'];
  const [asked] = await world.json(0, 'ana', 'request', one, ...why);
  expect(asked).toMatchObject({ state: 'requested', missingApprovals: 2 });
  const access = String(asked?.['access']);
  const waits = await world.as('ana', 'get', '--access', access, '--out', 'out');
  expect([waits.code, waits.err]).toEqual([1, expect.stringContaining(`Waits: ${access}`)]);
  const mine = await world.as('ana', 'approve', access);
  expect([mine.code, mine.err]).toEqual([1, expect.stringContaining('APPROVAL_BY_ASKER')]);
  const stranger = await world.as('dan', 'approve', access);
  expect([stranger.code, stranger.err]).toEqual([
    1,
    expect.stringContaining('APPROVER_NOT_ALLOWED'),
  ]);
  expect(await world.json(0, 'ben', 'approve', access)).toMatchObject([{ missingApprovals: 1 }]);
  expect((await world.as('cleo', 'approve', access)).out).toContain('needs no further approval');
  expect(await world.json(0, 'ana', 'get', '--access', access, '--out', 'out')).toMatchObject([
    { access, state: 'saved', file: nameOf('one') },
  ]);
  expect(await world.json(0, 'ana', 'get', '--access', access, '--out', 'out')).toMatchObject([
    { access, state: 'present' },
  ]);
  // A list waits too, and is got later with the same ids.
  const [listed] = await world.json(1, 'ana', 'get', one, ...why, '--out', 'later');
  expect(listed).toMatchObject({ submission: one, state: 'waits', missingApprovals: 2 });
  for (const name of ['ben', 'cleo'] as const)
    await world.json(0, name, 'approve', String(listed?.['access']));
  expect(await world.json(0, 'ana', 'get', one, ...why, '--out', 'later')).toMatchObject([
    { access: listed?.['access'], state: 'saved' },
  ]);

  expect(
    (await world.accesses())
      .slice(0, 6)
      .map(({ state, principal, purpose, code }) => [state, principal, purpose, code]),
  ).toEqual([
    ['requested', 'ana', 'third-party-request', undefined],
    ['refused', 'ana', 'third-party-request', 'APPROVAL_BY_ASKER'],
    ['refused', 'dan', 'third-party-request', 'APPROVER_NOT_ALLOWED'],
    ['approved', 'ben', 'third-party-request', undefined],
    ['approved', 'cleo', 'third-party-request', undefined],
    ['accessed', 'ana', 'third-party-request', undefined],
  ]);
  const csv = await world.folder.run('audit', 'accesses', '--state', 'accessed', '--csv');
  const [head, first, ...rest] = csv.out.split('\r\n');
  expect(head).toBe(
    'at,region,state,access,principal,purpose,form,submission,bytes,approvedBy,code,until',
  );
  expect(first?.split(',').slice(1, 11)).toEqual([
    'zurich',
    'accessed',
    access,
    'ana',
    'third-party-request',
    'raw',
    one,
    '10',
    'ben cleo',
    '',
  ]);
  expect(rest).toHaveLength(2);
  expect(csv.err).toMatch(/third-party-request +ana +2 +20 B/);
  const table = await world.folder.run('audit', 'accesses', '--principal', 'cleo');
  expect(table.out.split('\n')).toHaveLength(4);
  expect(await world.accesses('--until', '2020-01-01')).toEqual([]);
  expect(await world.accesses('--region', 'moscow')).toEqual([]);
});

it('files are packed as asked, and two submissions with one sample are one file', async () => {
  const world = await vaultWorld('one');
  const { folder } = world;
  await writeFile(join(folder.path, 'twin'), 'sample one');
  const publish = ['publish', 'twin', '--country', 'CH', '--consent', 'consent-0001'];
  const [published] = await folder.json(0, ...publish, '--source', 'urn:test');
  const twin = String(published?.['submission']);
  await expect
    .poll(async () => (await folder.json(0, 'sample', 'list', '--region', 'zurich')).length)
    .toBe(2);
  await writeFile(join(folder.path, 'list'), `${world.submissions.get('one')}\n${twin}\n`);
  const why = ['--purpose', 'detection', '--reference', 'CASE-4711', '--out', 'out'];
  const states = async (form: string, code = 0): Promise<unknown> =>
    (await world.json(code, 'ana', 'get', '--from', 'list', ...why, '--form', form))
      .map(({ state }) => String(state))
      .toSorted();
  const digest = sha256(Buffer.from('sample one'));
  expect(await states('zip')).toEqual(['present', 'saved']);
  expect(await states('cart')).toEqual(['present', 'saved']);
  expect(await states('zip-legacy', 1)).toEqual(['taken', 'taken']);
  expect(await states('zip')).toEqual(['present', 'present']);
  expect(await files(world)).toEqual([`${digest}.cart`, `${digest}.zip`]);
  const begins = async (name: string): Promise<string> =>
    (await readFile(join(folder.path, 'out', name))).subarray(0, 4).toString('latin1');
  expect([await begins(`${digest}.cart`), await begins(`${digest}.zip`)]).toEqual([
    'CART',
    'PK\u0003\u0004',
  ]);
  expect(await world.accesses('--state', 'accessed')).toHaveLength(6);
});

it('a search lists what sample get takes, answer by answer, and leaves out what is to be erased', async () => {
  const world = await vaultWorld('one', 'two', 'three');
  const ids = [...world.submissions.values()];
  const search = ['search', '--purpose', 'detection'];
  const listed = await world.as('ana', ...search, '--country', 'CH', '--verdict', 'suspicious');
  expect([listed.code, listed.out, listed.err]).toEqual([
    0,
    ids.map((id) => `${id}\n`).join(''),
    expect.stringContaining('Found 3 samples, and 0 that are erased or to be.\n'),
  ]);
  await writeFile(join(world.folder.path, 'list'), listed.out);
  await world.json(0, 'ana', 'get', '--from', 'list', ...WHY, '--out', 'out');
  expect(await files(world)).toEqual(['one', 'two', 'three'].map(nameOf).sort());
  const row = {
    submission: ids[1],
    region: 'zurich',
    country: 'CH',
    verdict: 'suspicious',
    bytes: 10,
    sampleSha256: sha256(Buffer.from('sample two')),
    erased: false,
  };
  expect(await world.json(0, 'ana', ...search, '--sample-sha256', row.sampleSha256)).toEqual([
    { ...row, position: expect.any(String), at: expect.any(String) },
  ]);
  expect(await world.json(0, 'ana', ...search, '--to', '2020-01-01')).toEqual([]);
  const first = await world.as('ana', ...search, '--limit', '2');
  const after = / --after (\S+)\n$/.exec(first.err)?.[1] ?? '';
  const rest = await world.as('ana', ...search, '--after', after);
  expect(first.out + rest.out).toBe(listed.out);
  const order = ['erase', '--submission', ids[1] ?? '', '--reason', 'asked for'];
  const plan = await world.folder.json(0, ...order);
  await world.folder.json(0, ...order, '--no-wait', '--yes', String(plan.at(-1)?.['digest']));
  const kept = (): Promise<string> => world.as('ana', ...search).then(({ out }) => out);
  await expect.poll(kept).toBe(`${ids[0]}\n${ids[2]}\n`);
  expect((await world.json(0, 'ana', ...search)).map(({ erased }) => erased)).toEqual([
    false,
    true,
    false,
  ]);
});

it('a search that the vault refuses ends with 1, and a mistake in an option with 2', async () => {
  const world = await vaultWorld('one');
  for (const [name, code, said, ...args] of [
    ['dan', 1, 'PURPOSE_NOT_ALLOWED', '--purpose', 'detection'],
    ['ana', 1, 'PURPOSE_UNKNOWN', '--purpose', 'elsewhere'],
    ['ana', 1, 'SEARCH_NOT_ALLOWED', '--purpose', 'rarely'],
    ['ana', 1, 'CURSOR_INVALID', '--purpose', 'detection', '--after', 'a/residency.audit/0/1'],
    ['ana', 2, '--limit', '--purpose', 'detection', '--limit', '0'],
    ['ana', 2, '--country', '--purpose', 'detection', '--country', 'ch'],
    ['ana', 2, '--sample-sha256', '--purpose', 'detection', '--sample-sha256', 'x'],
    ['ana', 2, '--verdict', '--purpose', 'detection', '--verdict', 'clean'],
    ['ana', 2, '--from', '--purpose', 'detection', '--from', '2026-02-01', '--to', '2026-01-01'],
  ] as const) {
    const ended = await world.as(name, 'search', ...args);
    expect([ended.code, ended.out, ended.err]).toEqual([code, '', expect.stringContaining(said)]);
  }
  for (let time = 0; time < 30; time += 1)
    expect((await world.as('ben', 'search', '--purpose', 'detection')).code).toBe(0);
  const ended = await world.as('ben', 'search', '--purpose', 'detection');
  expect([ended.code, ended.err]).toEqual([1, expect.stringContaining('(LIMIT_REACHED)')]);
});
