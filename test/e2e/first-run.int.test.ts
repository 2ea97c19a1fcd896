import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inTemporaryFolder, jsonLines, residency, start } from './residency.ts';

const examples = JSON.parse(
  await readFile(new URL('../../examples/submissions.json', import.meta.url), 'utf8'),
) as {
  readonly submissions: readonly {
    readonly id: string;
    readonly file: string;
    readonly expected: string;
  }[];
};

async function untilOutput(output: () => string, pattern: RegExp): Promise<string> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (pattern.test(output())) return output();
    await sleep(50);
  }
  throw new Error(`Expected ${String(pattern)} in:\n${output()}`);
}

it('the first run routes the examples as they expect, prints the reasons, stays up, and ends cleanly', async () => {
  await inTemporaryFolder(async (folder) => {
    const router = await start(folder);
    try {
      const output = await untilOutput(router.output, /not-an-event|UNDECODABLE/);
      for (const { file, expected } of examples.submissions) {
        const [outcome = '', place = ''] = expected.split(' ');
        expect(
          output
            .split('\n')
            .some((line) => line.includes(file) && line.includes(outcome) && line.includes(place)),
          `${file}: ${expected} in\n${output}`,
        ).toBe(true);
      }
      expect(output).toContain('GTI §');
      expect((await fetch(`${router.url}/readyz`)).status).toBe(200);
      expect(await (await fetch(`${router.url}/metrics`)).text()).toMatch(
        /residency_submissions_total\{outcome="stored",reason="",region="zurich"\} 4\n/,
      );
    } finally {
      expect(await router.stop()).toBe(0);
    }
    await expect(fetch(router.url)).rejects.toThrow('fetch failed');

    const events = jsonLines((await residency(folder, 'audit', 'list', '--json')).stdout);
    expect(events).toHaveLength(examples.submissions.length);
    const reconciled = await residency(folder, 'reconcile', '--open');
    expect([reconciled.code, reconciled.stderr]).toEqual([0, expect.any(String)]);
    const count = async (site: string): Promise<number> =>
      (
        await readdir(join(folder, '.residency/sites', site, 'samples'), {
          recursive: true,
          withFileTypes: true,
        })
      ).filter((entry) => entry.isFile()).length;
    expect(await Promise.all(['zrh-1', 'zrh-2', 'mow-1'].map(count))).toEqual([4, 4, 3]);
    for (const region of ['zurich', 'moscow']) {
      for (const name of await readdir(join(folder, '.residency/keys', region))) {
        if (name.endsWith('.private.pem'))
          expect((await stat(join(folder, '.residency/keys', region, name))).mode & 0o777).toBe(
            0o600,
          );
      }
    }

    const again = await start(folder);
    expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
    expect(await again.stop('SIGINT')).toBe(0);
    expect(jsonLines((await residency(folder, 'audit', 'list', '--json')).stdout)).toHaveLength(
      examples.submissions.length,
    );
  });
});

it('a port in use ends with 3 and a message', async () => {
  await inTemporaryFolder(async (folder) => {
    const router = await start(folder, '--no-examples');
    try {
      const other = await residency(
        folder,
        'start',
        '--data',
        'other',
        '--port',
        new URL(router.url).port,
      );
      expect(other.code).toBe(3);
      expect(other.stderr).toMatch(/Expected port \d+ to be free/);
      const locked = await residency(folder, 'route', '--once');
      expect(locked.code).toBe(3);
      expect(locked.stderr).toContain('Expected to be the only router');
    } finally {
      expect(await router.stop()).toBe(0);
    }
  });
});
