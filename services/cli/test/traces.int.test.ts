import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alterLog, makeFolder } from './residency.ts';
import type { Folder } from './residency.ts';

const POLICY = fileURLToPath(new URL('../../../policy/residency-1.json', import.meta.url));

let folder: Folder;
let submission: string;
let position: string;

beforeAll(async () => {
  folder = await makeFolder();
  await writeFile(join(folder.path, 'f'), 'the sample');
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'someone');
  submission = String(
    (await folder.json(0, 'publish', 'f', '--country', 'CH', '--consent', 'consent-0001'))[0]?.[
      'submission'
    ],
  );
  position = String(
    (
      await folder.json(
        0,
        'publish',
        'f',
        '--country',
        'ZZ',
        '--consent',
        'consent-0001',
        '--source',
        'urn:example:other',
      )
    )[0]?.position,
  );
  await folder.json(1, 'route', '--once');
});
afterAll(() => folder.remove());

interface Trace {
  readonly type: string;
  readonly principal: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What `args` leave in the control log, and how they end. */
async function traceOf(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{
  readonly code: number | null;
  readonly err: string;
  readonly traces: readonly Trace[];
}> {
  const before = await control();
  const { code, err } = await folder.runWith(env, ...args);
  return { code, err, traces: (await control()).slice(before.length) };
}

async function control(): Promise<readonly Trace[]> {
  return (await folder.json(0, 'audit', 'list', '--control')) as unknown as readonly Trace[];
}

const me = `${userInfo().username}@${hostname()}`;
const act = expect.any(String) as string;

it('opening a sample is recorded before the file exists, with its principal', async () => {
  const opened = await traceOf(
    ['sample', 'open', submission, '--region', 'zurich', '--out', 'out'],
    { SUDO_USER: '' },
  );
  expect(opened).toMatchObject({
    code: 0,
    traces: [
      {
        type: 'residency.sample.open-begun.v1',
        principal: me,
        data: { act, submission, region: 'zurich', around: 'vault' },
      },
    ],
  });
  expect((await folder.run('audit', 'list', '--control')).out).toMatch(
    /sample\.open-begun\.v1  act=\S+ submission=\S+ region=zurich around=vault by=/,
  );
  const failed = await traceOf([
    'sample',
    'open',
    submission,
    '--region',
    'zurich',
    '--out',
    'no/such/folder/out',
  ]);
  // It was opened, and then its file could not be made.
  expect(failed.traces).toMatchObject([
    { data: { submission } },
    { type: 'residency.act.failed.v1', data: { code: 'FILE_UNREADABLE' } },
  ]);
});

it('reconciling with --open is recorded as one act before anything is opened, and without it not at all', async () => {
  const opened = await traceOf(['reconcile', '--open'], { RESIDENCY_PRINCIPAL: 'operator 7' });
  expect(opened).toMatchObject({ code: 0 });
  expect(opened.traces).toEqual([
    {
      at: expect.any(String) as string,
      type: 'residency.reconciliation.open-begun.v1',
      principal: 'operator 7',
      data: { act, regions: ['zurich', 'moscow'] },
    },
  ]);
  expect((await traceOf(['reconcile'])).traces).toEqual([]);

  const sites = join(folder.path, '.residency/sites');
  await rename(join(sites, 'zrh-1'), join(folder.path, 'away'));
  const failed = await traceOf(['reconcile', '--open']);
  await rename(join(folder.path, 'away'), join(sites, 'zrh-1'));
  expect(failed.traces).toMatchObject([
    { type: 'residency.reconciliation.open-begun.v1' },
    {
      type: 'residency.act.failed.v1',
      data: { act: failed.traces[0]?.data['act'], code: 'SITE_MARKER_MISSING' },
    },
  ]);
});

it('an act that fails after it was recorded is recorded as failed, under the same name', async () => {
  const [key] = (await folder.json(0, 'keys', 'list')).filter(({ region }) => region === 'zurich');
  const { code, traces } = await traceOf(['keys', 'retire', String(key?.['key'])]);
  const [begun, failed] = traces;
  expect([code, traces.length]).toEqual([2, 2]);
  expect(begun).toMatchObject({
    type: 'residency.key.retire-begun.v1',
    data: { key: key?.['key'] },
  });
  expect(failed).toMatchObject({
    type: 'residency.act.failed.v1',
    data: { act: begun?.data['act'], code: 'KEY_LAST' },
  });
  expect((await traceOf(['keys', 'retire', 'zurich-nobody'])).traces).toEqual([]);
});

it('keys, a redrive and a publication of a policy are recorded; who acts may be a pseudonym, and root says for whom', async () => {
  const added = await traceOf(['keys', 'add', '--region', 'zurich'], {
    RESIDENCY_PRINCIPAL: 'operator 7',
  });
  expect(added).toMatchObject({
    code: 0,
    traces: [
      { type: 'residency.key.add-begun.v1', principal: 'operator 7', data: { region: 'zurich' } },
    ],
  });
  const redriven = await traceOf(['quarantine', 'redrive', position], { SUDO_USER: 'alice' });
  expect(redriven).toMatchObject({
    code: 0,
    traces: [
      {
        type: 'residency.quarantine.redrive-begun.v1',
        principal: `alice as ${me}`,
        data: { records: 1 },
      },
    ],
  });
  const document = JSON.parse(await readFile(POLICY, 'utf8')) as object;
  await writeFile(
    join(folder.path, 'two.json'),
    JSON.stringify({ ...document, version: 2, effectiveFrom: '2999-01-01' }),
  );
  const published = await traceOf(['policy', 'publish', 'two.json']);
  expect(published).toMatchObject({
    code: 0,
    traces: [
      {
        type: 'residency.policy.publication-begun.v1',
        data: { act, id: 'residency', version: 2, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ],
  });
  expect((await traceOf(['policy', 'publish', 'two.json'])).traces).toEqual([]);
  for (const args of [
    ['pause', '--reason', 'disks'],
    ['log-level', 'warn'],
    ['resume'],
    ['audit', 'export', '--from', '2020-01-01', '--to', '2021-01-01'],
  ]) {
    const { traces } = await traceOf(args, { RESIDENCY_PRINCIPAL: 'operator 7' });
    expect([args, ...traces.map(({ principal }) => principal)]).toEqual([
      args,
      ...traces.map(() => 'operator 7'),
    ]);
    expect(traces.length).toBeGreaterThan(0);
  }
  expect((await folder.run('audit', 'list', '--control')).out).toMatch(
    /key\.add-begun\.v1  act=\S+ region=zurich key=\S+ by="operator 7"\n/,
  );
});

it('what can not be recorded is not done', async () => {
  const keys = await folder.json(0, 'keys', 'list');
  const wrong = await folder.run('keys', 'list');
  expect(wrong.code).toBe(0);
  expect(
    (await traceOf(['keys', 'add', '--region', 'zurich'], { RESIDENCY_PRINCIPAL: 'two\nlines' }))
      .code,
  ).toBe(2);
  // A log that takes no record of the control topic.
  const log = join(folder.path, '.residency', 'log.db');
  alterLog(
    log,
    `CREATE TRIGGER refuse BEFORE INSERT ON record WHEN NEW.topic = (SELECT id FROM topic WHERE name = 'residency.control') BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
  for (const args of [
    ['keys', 'add', '--region', 'zurich'],
    ['sample', 'open', submission, '--region', 'zurich', '--out', 'unrecorded'],
    ['reconcile', '--open'],
    ['quarantine', 'redrive', position],
  ]) {
    const { code, err } = await folder.run(...args);
    expect([args, code, err]).toEqual([args, 3, expect.stringContaining('(NOT_RECORDED)')]);
  }
  alterLog(log, 'DROP TRIGGER refuse');
  expect(await folder.json(0, 'keys', 'list')).toEqual(keys);
  await expect(stat(join(folder.path, 'unrecorded'))).rejects.toThrow('ENOENT');
});
