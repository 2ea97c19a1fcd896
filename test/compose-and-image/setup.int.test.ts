import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../architecture/tree.ts';
import { Deployment } from '../running-deployment/deployment.ts';
import { jsonLines } from '../e2e/residency.ts';
import { sharedStack } from '../stack/index.ts';
import { FOLDER } from './compose-file.ts';

interface Setup {
  readonly deployment: Deployment;
  readonly run: () => Promise<{ readonly code: number | null; readonly output: string }>;
}

/**
 * The buckets and settings of an unprepared cluster, and the setup script as a container would run
 * it.
 */
async function unprepared(): Promise<Setup> {
  const deployment = await Deployment.open(await sharedStack(), { bare: true });
  onTestFinished(() => deployment.close());
  const { folder } = deployment;
  for (const path of ['keys', 'public-keys', 'ledger-key'])
    await rm(join(folder, path), { recursive: true });
  await mkdir(join(folder, 'bin'));
  await symlink(join(root, 'services/cli/bin/residency.js'), join(folder, 'bin/residency'));
  const env = {
    PATH: [join(folder, 'bin'), dirname(process.execPath), process.env['PATH']].join(':'),
    PUBLIC_KEYS: join(folder, 'public-keys'),
    POLICY: join(root, 'policy/residency-1.json'),
  };
  const run: Setup['run'] = async () => {
    const child = spawn('sh', [join(root, FOLDER, 'setup.sh')], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };
  return { deployment, run };
}

/** The content of every file. */
async function filesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(
      names
        .sort()
        .map(
          async (name) => [name.slice(folder.length + 1), await readFile(name, 'utf8')] as const,
        ),
    ),
  );
}

it('prepares a cluster that routes; a second run changes nothing', async () => {
  const { deployment, run } = await unprepared();
  const { folder } = deployment;
  expect(await run()).toMatchObject({
    code: 0,
    output: expect.stringContaining('The configuration is sound.'),
  });
  const state = async () => ({
    keys: await filesIn(join(folder, 'keys')),
    public: await filesIn(join(folder, 'public-keys')),
    ledger: await readFile(join(folder, 'ledger-key'), 'utf8'),
    policies: (await deployment.residency('policy', 'show', '--json')).stdout,
  });
  const first = await state();
  expect(first.policies).toContain('residency');
  expect(Object.keys(first.keys).filter((name) => name.endsWith('.private.pem'))).toHaveLength(2);
  expect(first.public).toEqual(
    Object.fromEntries(Object.entries(first.keys).filter(([name]) => name.endsWith('.public.pem'))),
  );

  expect(await run()).toMatchObject({
    code: 0,
    output: expect.stringContaining('was published already'),
  });
  expect(await state()).toEqual(first);

  // The router has only the public keys.
  for (const name of ['consent-projector', 'router', 'auditor', 'intake'] as const)
    await deployment.start(name);
  await writeFile(join(folder, 'a-file'), 'not malware');
  expect(
    await deployment.residency(
      'consent',
      'grant',
      '--consent',
      'compose-consent-1',
      '--subject',
      'somebody',
    ),
  ).toMatchObject({ code: 0 });
  // The command that the documentation gives to publishers.
  await new Promise((resolve) => {
    setTimeout(resolve, 2_000);
  });
  const [published] = jsonLines(
    (
      await deployment.residency(
        'publish',
        'a-file',
        '--country',
        'CH',
        '--consent',
        'compose-consent-1',
        '--json',
      )
    ).stdout,
  );
  await expect
    .poll(
      async () =>
        (await deployment.residency('status', String(published?.['submission']), '--json')).stdout,
      { interval: 1_000 },
    )
    .toContain('"stored"');
  expect(await deployment.residency('reconcile', '--open')).toMatchObject({ code: 0 });
});

it('passes a rotation to the routers, and never a private key', async () => {
  const { deployment, run } = await unprepared();
  const { folder } = deployment;
  expect(await run()).toMatchObject({ code: 0 });
  const [old = ''] = (await readdir(join(folder, 'public-keys/zurich'))).map((name) =>
    name.replace('.public.pem', ''),
  );
  expect(await deployment.residency('keys', 'add', '--region', 'zurich')).toMatchObject({
    code: 0,
  });
  expect(await deployment.residency('keys', 'retire', old)).toMatchObject({ code: 0 });
  expect(await run()).toMatchObject({ code: 0 });
  const names = await readdir(join(folder, 'public-keys/zurich'));
  expect(names.map((name) => name.replace(/^.*?\./, '')).sort()).toEqual([
    'public.pem',
    'public.pem',
    'retired',
  ]);
  expect(names).toContain(`${old}.retired`);
});

it('ends at the first step that needs a person, and names it', async () => {
  const { deployment, run } = await unprepared();
  await writeFile(join(deployment.folder, 'residency.env'), 'RESIDENCY_TOPIC_PARTITIONS=0\n', {
    flag: 'a',
  });
  expect(await run()).toMatchObject({
    code: 2,
    output: expect.stringContaining('RESIDENCY_TOPIC_PARTITIONS'),
  });
  expect(await readdir(deployment.folder)).not.toContain('keys');
});
