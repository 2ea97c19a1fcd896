import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createWriteStream, openSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, leaves } from './command-tree.ts';
import { inProcess } from './in-process.ts';
import { alterLog, finished, makeFolder } from './residency.ts';
import type { Finished } from './in-process.ts';
import type { Folder } from './residency.ts';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));
const POLICY = fileURLToPath(new URL('../../../policy/residency-1.json', import.meta.url));
const SAID_ONCE =
  /^residency: Expected to write the answer to standard output, found ENOSPC; [^\n]*\(OUTPUT_UNWRITABLE\)$/gm;

let folder: Folder;
let full: number;
let submission: string;
let position: string;
/** Quarantined too. */
let closable: string;
let regionKey: string;
let vkey: string;
let hold: string;

beforeAll(async () => {
  full = openSync('/dev/full', 'w');
  folder = await makeFolder();
  await writeFile(join(folder.path, 'sample'), 'harmless');
  await folder.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'someone');
  submission = String(
    (
      await folder.json(0, 'publish', 'sample', '--country', 'CH', '--consent', 'consent-0001')
    )[0]?.['submission'],
  );
  position = String(
    (
      await folder.json(
        0,
        'publish',
        'sample',
        '--country',
        'ZZ',
        '--consent',
        'consent-0001',
        '--source',
        'urn:example:other',
      )
    )[0]?.position,
  );
  closable = String(
    (
      await folder.json(
        0,
        'publish',
        'sample',
        '--country',
        'ZZ',
        '--consent',
        'consent-0001',
        '--source',
        'urn:example:third',
      )
    )[0]?.position,
  );
  await folder.run('route', '--once');
  const placing = ['hold', 'place', '--submission', submission, '--reason', 'x'];
  const giving = ['sample', 'give-up', '--submission', submission, '--reason', 'x'];
  const plan = String((await folder.json(0, ...giving)).at(-1)?.['digest']);
  await folder.json(0, ...giving, '--yes', plan, '--no-wait');
  hold = String((await folder.json(0, ...placing))[0]?.['hold']);
  regionKey = String((await folder.json(0, 'keys', 'add', '--region', 'zurich'))[0]?.['key']);
  vkey = (await folder.run('audit', 'key', 'show')).out.split('\n')[0] ?? '';
  await folder.run('audit', 'prove', submission, '--out', 'receipt');
  await folder.run('consent', 'withdraw', '--consent', 'consent-0001', '--data', 'rested');
  // As after two months without an append.
  alterLog(
    join(folder.path, 'rested', 'log.db'),
    `UPDATE meta SET last_at = last_at - ${60 * 24 * 60 * 60 * 1_000}`,
  );
});
afterAll(async () => {
  closeSync(full);
  await folder.remove();
});

type Outlet = number | 'pipe' | 'ignore';

async function run(args: readonly string[], out: Outlet, err: Outlet = 'pipe'): Promise<Finished> {
  return await finished(
    spawn(process.execPath, [BIN, ...args], {
      cwd: folder.path,
      stdio: ['ignore', out, err],
      timeout: 300_000,
    }),
  );
}

/** An answer of theirs needs a cluster, a vault, or a ledger or a log that is broken first. */
const ELSEWHERE = [
  'audit key generate',
  'audit new-ledger',
  'quarantine set-aside',
  'sample approve',
  'sample get',
  'sample request',
  'sample search',
  'service',
  'site check',
  'site init',
  'topics accept',
  'topics check',
  'topics create',
];

/** How each of the others is called so that it has an answer. */
function calls(): Readonly<Record<string, readonly string[]>> {
  return {
    'audit accesses': ['--csv'],
    'audit adjudicate': [],
    'audit erasures': ['--format', 'csv'],
    'audit export': ['--from', '2000-01-01', '--to', '2100-01-01'],
    'audit fsck': [],
    'audit key rotate': [],
    'audit key show': [],
    'audit list': [],
    'audit losses': [],
    'audit prove': [submission, '--out', 'another'],
    'audit replay': [],
    'audit restore': ['--from-ledger'],
    'audit verify': ['receipt', '--key', vkey],
    'clock accept': ['--data', 'rested'],
    'config check': [],
    'consent grant': ['--consent', 'consent-0002', '--subject', 'other'],
    'consent show': ['--consent', 'consent-0001'],
    'consent withdraw': ['--consent', 'consent-0001'],
    doctor: [],
    drain: ['--reason', 'a test', '--timeout', '1'],
    erase: ['--submission', submission, '--reason', 'x'],
    'hold lift': [hold, '--reason', 'x'],
    'hold list': [],
    'hold place': ['--submission', submission, '--reason', 'x'],
    'keys add': ['--region', 'zurich'],
    'keys list': [],
    'keys retire': [regionKey],
    'log-level': ['warn'],
    pause: ['--reason', 'a test'],
    'policy check': [POLICY],
    'policy diff': [POLICY, POLICY],
    'policy publish': [POLICY],
    'policy show': [],
    publish: ['sample', '--country', 'CH', '--consent', 'consent-0001'],
    'quarantine close': [closable, '--reason', 'a test'],
    'quarantine list': [],
    'quarantine redrive': [position],
    'quarantine show': [position],
    reconcile: [],
    resume: [],
    route: ['--once'],
    'sample give-up': ['--submission', submission, '--reason', 'x'],
    'sample list': ['--region', 'zurich'],
    'site backfill': ['zrh-2'],
    'site rebuild': ['zrh-2'],
    'site repair': ['zrh-2'],
    'site in': ['zrh-1'],
    'site out': ['zrh-2', '--reason', 'x'],
    'site repairs': [],
    'site retire': ['zrh-2', '--reason', 'x'],
    'sample open': [submission, '--region', 'zurich', '--out', 'opened'],
    start: ['--port', '0', '--no-examples', '--data', 'started'],
    status: [submission],
    where: ['CH'],
  };
}

it('every command that answers in a sound data directory is called below', () => {
  expect([...Object.keys(calls()), ...ELSEWHERE].sort()).toEqual(leaves);
});

/** They make what they append to. */
const MAKES = [
  'consent grant',
  'consent withdraw',
  'keys add',
  'policy publish',
  'publish',
  'route',
  'start',
];
/** They need no data directory. */
const WITHOUT = ['audit verify', 'config check'];

describe('a data directory that is not there', () => {
  it.each(leaves.filter((name) => ![...ELSEWHERE, ...MAKES].includes(name)))(
    '%s does not make it, and says so',
    async (name) => {
      const args = [...name.split(' '), ...(calls()[name] ?? []), '--data', 'nowhere'];
      const { code, err } = await folder.run(...args);
      expect(await readdir(folder.path)).not.toContain('nowhere');
      if (!WITHOUT.includes(name))
        expect([code, err]).toEqual([2, expect.stringContaining('NOT_THERE')]);
    },
  );
});

describe('standard output on a disk without room', () => {
  it.each(leaves.filter((name) => !ELSEWHERE.includes(name)))(
    '%s ends with 3 and one sentence',
    async (name) => {
      const { code, err } = await run([...name.split(' '), ...(calls()[name] ?? [])], full);
      expect(
        { code, said: err.match(SAID_ONCE)?.length, stack: /^\s+at /m.test(err) },
        err,
      ).toEqual({ code: 3, said: 1, stack: false });
    },
  );

  it('so does every help, and the version', async () => {
    const asked = [
      ['--version'],
      ...commands.map(({ path }) => [...path.split(' ').slice(1), '--help']),
    ];
    for (const args of asked) {
      const { code, err } = await inProcess(args, { stdout: createWriteStream('/dev/full') });
      expect([args, code, err.match(SAID_ONCE)?.length]).toEqual([args, 3, 1]);
    }
    // What the launcher makes of that.
    for (const args of [['--version'], ['--help'], ['where', '--help']]) {
      const { code, err } = await run(args, full);
      expect([args, code, err.match(SAID_ONCE)?.length]).toEqual([args, 3, 1]);
    }
  });

  it('and without a word where standard error has no room either', async () => {
    for (const args of [['where', 'CH'], ['--help'], ['audit', 'list']])
      expect((await run(args, full, full)).code).toBe(3);
  });

  it('an export says that it is not complete, and a complete one that it is', async () => {
    await run(['audit', 'export', '--from', '2000-01-01', '--to', '2100-01-01'], full);
    await run(['audit', 'export', '--from', '2000-01-01', '--to', '2100-01-01'], 'pipe');
    const ends = (await folder.json(0, 'audit', 'list', '--control')).filter(
      ({ type }) => type === 'residency.audit.exported.v1',
    );
    expect(
      ends.slice(-2).map(({ data }) => (data as { readonly complete: boolean }).complete),
    ).toEqual([false, true]);
  });

  it('a publication says on standard error how far it came', async () => {
    const { err } = await run(
      ['publish', 'sample', '--country', 'CH', '--consent', 'consent-0001', '--json'],
      full,
    );
    expect(err).toContain('Published 1 file');
  });
});

it('notes that can not be written end with 3 what would have ended with 0, and nothing else', async () => {
  expect((await run(['quarantine', 'redrive', position], 'pipe', full)).code).toBe(3);
  expect((await run(['where'], 'pipe', full)).code).toBe(2);
});

it('a reader that took the first line ends an export quietly, which is then not complete', async () => {
  const child = spawn(
    process.execPath,
    [BIN, 'audit', 'export', '--from', '2000-01-01', '--to', '2100-01-01'],
    { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child.stdout.destroy();
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  expect([code, err]).toEqual([0, '']);
  const ends = (await folder.json(0, 'audit', 'list', '--control')).filter(
    ({ type }) => type === 'residency.audit.exported.v1',
  );
  expect(ends.at(-1)?.['data']).toMatchObject({ complete: false });
});

/** Runs `script` where no file can grow, as on a full disk. */
function withoutRoom(
  module: string,
  script: string,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const url = new URL(`../src/${module}`, import.meta.url).href;
  return spawnSync(
    'sh',
    [
      '-c',
      'ulimit -f 0; exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      `const m = await import(${JSON.stringify(url)}); ${script}`,
    ],
    { cwd: folder.path, encoding: 'utf8' },
  );
}

it.each([
  ['terminal/write-new-file.ts', 'await m.writeNewFile("file", Buffer.from("x"), "--out")'],
  [
    'audit/views-folder.ts',
    'await m.makeViewsFolder("views"); await m.writeViews("views", { byRegion: [{}], byCountry: [], byPolicy: [], byOutcome: [] }, {}, { rows: async function* () {} })',
  ],
])('%s names the file that the disk has no room for', async (module, script) => {
  const { stdout, stderr } = withoutRoom(
    module,
    `try { ${script} } catch (error) { console.log(error.code, error.message); }`,
  );
  expect(stderr).toBe('');
  expect(stdout).toMatch(
    /^OUTPUT_UNWRITABLE Expected to write --\w+ (?:file|views\/by-region\.ndjson), found EFBIG; /,
  );
  await expect(stat(join(folder.path, 'file'))).rejects.toThrow('ENOENT');
});
