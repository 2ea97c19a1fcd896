import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';

const CANARY = 'canary0canary';
const REGIONS = {
  sites: {
    'zrh-1': { region: 'moscow', bucket: 'zrh-1', awsRegion: 'eu-central-2' },
    'mow-1': { region: 'moscow', bucket: 'mow-1', awsRegion: 'ru-1' },
    'new-1': { region: 'zurich', bucket: 'new-1', awsRegion: 'ru-1' },
  },
};
const SOUND = [
  '# comments and empty lines are fine',
  '',
  'RESIDENCY_LOG=log-1',
  'export RESIDENCY_KAFKA_BROKERS="127.0.0.1:1"',
  'RESIDENCY_KAFKA_CLUSTER_ID=cluster',
  'RESIDENCY_REDIS_URL=redis://127.0.0.1:1',
  'RESIDENCY_REGIONS_FILE=regions.json',
  'RESIDENCY_KEYS_DIR=keys',
  'RESIDENCY_LEDGER_DIR=ledger',
  'RESIDENCY_LEDGER_KEY_FILE=cluster.env',
  'RESIDENCY_RECONCILER_STATE_DIR=reconciler',
];

async function folderWith(lines: readonly string[]): Promise<Folder> {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'cluster.env'), lines.join('\n'));
  await writeFile(join(folder.path, 'regions.json'), JSON.stringify(REGIONS));
  return folder;
}

it('config check names every setting, its source and every mistake, and shows no secret', async () => {
  const folder = await folderWith([
    ...SOUND,
    `RESIDENCY_KAFKA_PASSWORD=${CANARY}`,
    'RESIDENCY_HTTP_PORT=port',
    `RESIDENCY_KAFKA_PASWORD=${CANARY}`,
    `RESIDENCY_SITE_ZRH_1_ACCESS_KEY_ID=id`,
    `RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY=${CANARY}`,
  ]);
  const ended = await folder.runWith(
    { RESIDENCY_LOG_LEVEL: 'warn', RESIDENCY_LOG: 'log-2' },
    'config',
    'check',
    '--config',
    'cluster.env',
    '--json',
  );
  expect(ended.code).toBe(1);
  expect(ended.out + ended.err).not.toContain(CANARY);
  const rows = ended.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  const source = (name: string): unknown =>
    rows
      .filter(({ variable, code }) => variable === name && code === undefined)
      .map(({ value, source: from }) => [value, from]);
  expect([
    source('RESIDENCY_LOG'),
    source('RESIDENCY_LOG_LEVEL'),
    source('RESIDENCY_KAFKA_BROKERS'),
    source('RESIDENCY_KAFKA_PASSWORD'),
    source('RESIDENCY_TOPIC_PARTITIONS'),
    source('RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY'),
  ]).toEqual([
    [['log-2', 'environment']],
    [['warn', 'environment']],
    [['127.0.0.1:1', 'file']],
    [['set', 'file']],
    [['12', 'default']],
    [['set', 'file']],
  ]);
  expect(
    rows.flatMap(({ code, variable, site }) =>
      code === undefined ? [] : [`${code} ${variable ?? site}`],
    ),
  ).toEqual([
    'CONFIGURATION_INVALID RESIDENCY_KAFKA_PASSWORD',
    'CONFIGURATION_INVALID RESIDENCY_HTTP_PORT',
    'CONFIGURATION_INVALID RESIDENCY_KAFKA_PASWORD',
    'SITE_ELSEWHERE zrh-1',
    'SITE_NOT_CONFIGURED zrh-2',
    'SITE_UNKNOWN new-1',
  ]);
});

it('config check compares the regions file with the first policy where the log can not be asked', async () => {
  const folder = await folderWith(SOUND);
  const ended = await folder.run('config', 'check', '--config', 'cluster.env');
  expect([ended.code, ended.err]).toEqual([
    1,
    expect.stringMatching(
      /id could not be read \(KAFKA_UNREACHABLE\), so RESIDENCY_KAFKA_CLUSTER_ID was not compared[^]*first policy.*KAFKA_UNREACHABLE[^]*2 mistakes/,
    ),
  ]);
  expect(ended.out).toMatch(/^SITE_NOT_CONFIGURED: .*zrh-2.*\n(?:.*\n)*SITE_UNKNOWN: .*new-1/m);
  expect(ended.out).toMatch(/^SITE_ELSEWHERE: .*zrh-1/m);
  expect(
    (await folder.run('config', 'check', '--config', 'cluster.env', '--section', 'kafka')).code,
  ).toBe(0);
  expect(
    (await folder.run('config', 'check', '--config', 'cluster.env', '--section', 'kafkas')).code,
  ).toBe(2);
});

it('a command on a wrong configuration names every mistake of what it needs, and one that can not be reached ends with 3', async () => {
  const folder = await folderWith([...SOUND.slice(0, 4), `RESIDENCY_KAFKA_PASSWORD=${CANARY}`]);
  const refused = await folder.run('audit', 'list', '--config', 'cluster.env');
  expect([refused.code, refused.err]).toEqual([
    2,
    expect.stringMatching(
      /found 2 mistakes[^]*RESIDENCY_KAFKA_PASSWORD: .*\n.*RESIDENCY_KAFKA_CLUSTER_ID: .*\(CONFIGURATION_INVALID\)/,
    ),
  ]);
  expect(refused.err).not.toContain(CANARY);
  const sound = await folderWith(SOUND);
  for (const args of [
    ['audit', 'list'],
    ['topics', 'check'],
    ['consent', 'show', '--consent', 'consent-0001'],
  ]) {
    const away = await sound.run(...args, '--config', 'cluster.env');
    expect([away.code, away.err]).toEqual([
      3,
      expect.stringMatching(/KAFKA_UNREACHABLE|REDIS_UNREACHABLE/),
    ]);
  }
});

it('what is used wrongly with a configuration is told so, and nothing is made', async () => {
  const folder = await folderWith(SOUND);
  const before = await readdir(folder.path);
  await writeFile(
    join(folder.path, 'wrong.env'),
    `RESIDENCY_LOG=log-1\nRESIDENCY_KAFKA_PASSWORD ${CANARY}\n`,
  );
  await writeFile(join(folder.path, 'other.env'), `AWS_SECRET_ACCESS_KEY=${CANARY}\n`);
  const wrong: readonly (readonly [said: string, ...args: string[]])[] = [
    ['both', 'audit', 'list', '--config', 'cluster.env', '--data', 'data'],
    ['both', '--data', 'data', 'audit', 'list', '--config', 'cluster.env'],
    ['residency-router', 'route', '--once', '--config', 'cluster.env'],
    ['without --config', 'start', '--config', 'cluster.env'],
    ['FILE_UNREADABLE', 'audit', 'list', '--config', 'missing'],
    ['line 2', 'audit', 'list', '--config', 'wrong.env'],
    ['line 1', 'audit', 'list', '--config', 'other.env'],
    ['without --data', 'topics', 'check', '--data', 'data'],
    [
      '--url or --config',
      'status',
      '0'.repeat(64),
      '--config',
      'cluster.env',
      '--url',
      'http://127.0.0.1:1',
    ],
    ['--from with --config', 'status', '0'.repeat(64), '--from', '2026-01-01'],
    [
      '--url or --config',
      'publish',
      'regions.json',
      '--country',
      'CH',
      '--consent',
      'consent-0001',
      '--config',
      'cluster.env',
      '--url',
      'http://127.0.0.1:1',
    ],
    ['CONFIGURATION_INVALID', 'topics', 'check'],
    ['either sites or --all', 'site', 'init', '--config', 'cluster.env'],
  ];
  for (const [said, ...args] of wrong) {
    const ended = await folder.run(...args);
    expect([args, ended.code, ended.out, ended.err]).toEqual([
      args,
      2,
      '',
      expect.stringContaining(said),
    ]);
    expect(ended.err).not.toContain(CANARY);
  }
  expect((await readdir(folder.path)).filter((name) => !name.endsWith('.env'))).toEqual(
    before.filter((name) => !name.endsWith('.env')),
  );
});

it('site check reads --config once, so it may be a pipe', async () => {
  const folder = await folderWith([]);
  const pipe = join(folder.path, 'pipe.env');
  execFileSync('mkfifo', [pipe]);
  const settings = [
    'RESIDENCY_REGIONS_FILE=regions.json',
    ...['ZRH_1', 'MOW_1', 'NEW_1'].flatMap((site) => [
      `RESIDENCY_SITE_${site}_ACCESS_KEY_ID=id`,
      `RESIDENCY_SITE_${site}_SECRET_ACCESS_KEY=secret`,
    ]),
  ];
  const sites = Object.fromEntries(
    Object.entries(REGIONS.sites).map(([site, place]) => [
      site,
      { ...place, endpoint: 'http://127.0.0.1:1' },
    ]),
  );
  await writeFile(join(folder.path, 'regions.json'), JSON.stringify({ sites }));
  const [ended] = await Promise.all([
    folder.run('site', 'check', '--all', '--config', 'pipe.env'),
    writeFile(pipe, settings.join('\n')),
  ]);
  expect([ended.code, ended.out.match(/SITE_UNREACHABLE/g)?.length]).toEqual([3, 3]);
});
