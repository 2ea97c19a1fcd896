import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStored } from './open-stored.ts';
import { headOf, realFiles, types } from './real-files.ts';
import { inTemporaryFolder, jsonLines, residency } from './residency.ts';

const COUNTRIES = [
  'CH',
  'DE',
  'FR',
  'GB',
  'XK',
  'CY',
  'US',
  'CA',
  'PR',
  'JP',
  'AU',
  'IN',
  'VN',
  'BN',
  'RU',
  'BR',
  'TR',
  'IL',
  'CN',
  'HK',
  'TW',
  'ZA',
  'KE',
  'AR',
];

it('1,000 real files from many countries arrive in the right region, and each opens again byte for byte', async () => {
  await inTemporaryFolder(async (folder) => {
    const files = await realFiles(1_000);
    expect(files.length).toBe(1_000);
    expect(types(files).size).toBeGreaterThanOrEqual(10);
    const byCountry = COUNTRIES.map((country) => ({
      country,
      folder: join(folder, 'in', country),
    }));
    for (const { folder: path } of byCountry) await mkdir(path, { recursive: true });
    const sources = new Map<string, Buffer>();
    for (const [index, { path }] of files.entries()) {
      const target = join(byCountry[index % COUNTRIES.length]?.folder ?? folder, `file-${index}`);
      await copyFile(path, target);
      sources.set(target, await readFile(target));
    }
    const largest = join(folder, 'in/CH/exactly-16-MiB');
    sources.set(largest, await headOf(process.execPath, 16 * 1024 * 1024));
    await writeFile(largest, sources.get(largest) ?? Buffer.alloc(0));
    const smallest = join(folder, 'in/RU/one-byte');
    sources.set(smallest, Buffer.from('x'));
    await writeFile(smallest, 'x');

    expect(
      (
        await residency(
          folder,
          'consent',
          'grant',
          '--consent',
          'real-files-01',
          '--subject',
          'the installed packages',
        )
      ).code,
    ).toBe(0);
    const published = new Map<string, string>();
    for (const { country, folder: path } of byCountry) {
      const { code, stdout, stderr } = await residency(
        folder,
        'publish',
        path,
        '--country',
        country,
        '--consent',
        'real-files-01',
        '--json',
      );
      expect(code, stderr).toBe(0);
      for (const line of jsonLines(stdout))
        published.set(String(line['submission']), String(line['path']));
    }
    expect(published.size).toBe(sources.size);

    const routed = await residency(folder, 'route', '--once');
    expect(routed.code, routed.stdout + routed.stderr).toBe(0);
    const reconciled = await residency(folder, 'reconcile', '--open');
    expect(reconciled.code, reconciled.stdout + reconciled.stderr).toBe(0);

    // `reconcile --open` compares with the digest in the event; this compares with the file
    // itself.
    const events = jsonLines((await residency(folder, 'audit', 'list', '--json')).stdout);
    expect(events).toHaveLength(sources.size);
    const regions = new Map<string, string>();
    for (const event of events) {
      const { submission, decision } = event['data'] as {
        submission: string;
        decision: { region: string };
      };
      regions.set(submission, decision.region);
      const opened = await openStored(join(folder, '.residency'), submission, decision.region);
      expect(sources.get(published.get(submission) ?? '')?.equals(opened), submission).toBe(true);
    }
    const one = [...published.keys()][0] ?? '';
    const region = regions.get(one) ?? '';
    expect(
      (await residency(folder, 'sample', 'open', one, '--region', region, '--out', 'opened.bin'))
        .code,
    ).toBe(0);
    expect(
      (await readFile(join(folder, 'opened.bin'))).equals(
        sources.get(published.get(one) ?? '') ?? Buffer.alloc(0),
      ),
    ).toBe(true);
  });
});
