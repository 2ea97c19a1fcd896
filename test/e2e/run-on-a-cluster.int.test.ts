import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { Deployment } from '../deployment/deployment.ts';
import { sharedStack } from '../stack/index.ts';
import { jsonLines, residency } from './residency.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = await readFile(join(ROOT, 'docs/how-to/run-on-a-cluster.md'), 'utf8');
const commands = [...page.matchAll(/^ {7}(?:residency|node) .*$/gm)].map(([line]) =>
  line.trim().split(' '),
);

it(
  'the page that says how to run on a cluster leads to one that routes, and every command of it works',
  { timeout: 300_000 },
  async () => {
    const deployment = await Deployment.open(await sharedStack(), { bare: true });
    onTestFinished(() => deployment.close());
    await cp(join(ROOT, 'policy'), join(deployment.folder, 'policy'), { recursive: true });
    expect(commands.length).toBeGreaterThan(9);
    for (const [program, ...args] of commands) {
      const service = /^services\/([a-z-]+)\/src\/main\.ts$/.exec(args[0] ?? '')?.[1];
      if (program === 'node')
        await deployment.start(service as 'router' | 'consent-projector' | 'intake');
      // The deployment has a ledger's key already, which no command overwrites.
      else if (args.join(' ').startsWith('audit key generate'))
        await rm(join(deployment.folder, 'ledger-key'));
      if (program !== 'node')
        expect
          .soft({ args, ...(await residency(deployment.folder, ...args)) })
          .toMatchObject({ code: 0 });
    }

    const run = (...args: readonly string[]): ReturnType<Deployment['residency']> =>
      deployment.residency(...args);
    await writeFile(join(deployment.folder, 'a-file'), 'not malware');
    expect(
      await run('consent', 'grant', '--consent', 'how-to-consent-1', '--subject', 'somebody'),
    ).toMatchObject({ code: 0 });
    // As publishers are told.
    await new Promise((resolve) => {
      setTimeout(resolve, 2_000);
    });
    const [published] = jsonLines(
      (await run('publish', 'a-file', '--country', 'BR', '--consent', 'how-to-consent-1', '--json'))
        .stdout,
    );
    await expect
      .poll(async () => (await run('status', String(published?.['submission']), '--json')).stdout, {
        timeout: 60_000,
        interval: 1_000,
      })
      .toContain('"stored"');
    expect((await run('audit', 'list', '--region', 'moscow', '--json')).stdout).toContain(
      '"stored.v1"'.slice(1, -1),
    );
    expect(await run('quarantine', 'list')).toMatchObject({ code: 0, stdout: '' });
    expect(await run('reconcile', '--open')).toMatchObject({ code: 0 });
  },
);
