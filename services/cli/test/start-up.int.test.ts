import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FIRST_POLICY } from '@residency/standalone';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));

const VALIDATOR = 'zod';

/** Writes the modules' URLs, those of threads too, to the file `LOADED`. */
const LISTENER = `import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\n');
    return next(url, context);
  },
});
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-start-up-'));
  await writeFile(join(folder, 'listener.mjs'), LISTENER);
  await writeFile(join(folder, 'sample.bin'), 'sample');
  await loaded('consent', 'grant', '--consent', 'consent-0001', '--subject', 'user-17', ...DATA);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const DATA = ['--data', 'data'];
const PUBLISH = ['publish', 'sample.bin', '--country', 'CH', '--consent', 'consent-0001', ...DATA];

/** The npm packages and the files of ours that a command loads, from start to end. */
async function loaded(...args: readonly string[]): ReturnType<typeof loadedUntil> {
  return await loadedUntil(0, ...args);
}

async function loadedUntil(
  code: number,
  ...args: readonly string[]
): Promise<{ readonly vendors: readonly string[]; readonly files: readonly string[] }> {
  const list = join(folder, 'loaded');
  await rm(list, { force: true });
  const ended = promisify(execFile)(BIN, args, {
    cwd: folder,
    env: {
      ...process.env,
      LOADED: list,
      NODE_OPTIONS: `--import ${join(folder, 'listener.mjs')}`,
      XDG_STATE_HOME: join(folder, 'state'),
    },
  });
  if (code === 0) await ended;
  else await expect(ended).rejects.toMatchObject({ code });
  const urls = (await readFile(list, 'utf8')).split('\n');
  const vendor = /.*\/node_modules\/(?<name>[^/]+)\//;
  return {
    vendors: [...new Set(urls.flatMap((url) => vendor.exec(url)?.groups?.['name'] ?? []))].sort(),
    files: urls.filter((url) => url.startsWith('file:') && !vendor.test(url)),
  };
}

/** The files that declare commands. */
function declarations(files: readonly string[]): readonly string[] {
  return files.flatMap((url) => /(?<=\/src\/(?!terminal)\w+\/)[^/]+-command\.ts$/.exec(url) ?? []);
}

describe('a command loads what it asks for:', () => {
  it('--help, no more than the declarations', async () => {
    const { vendors, files } = await loaded('--help');
    expect(vendors).toEqual(['commander']);
    expect(declarations(files).length).toBeGreaterThan(20);
    expect(files.length).toBeGreaterThan(20);
    expect(files.length).toBeLessThan(80);
  });

  it('where without a data directory, no validator: the reviewed policy is known by its digest', async () => {
    const { vendors, files } = await loaded('where', 'CH');
    expect(vendors).toEqual(['commander']);
    expect(declarations(files)).toEqual(['where-command.ts']);
    expect(files.filter((url) => url.includes('/adapter-'))).toEqual([]);
  });

  it('where of a policy in a file, the validator', async () => {
    const { vendors } = await loaded('where', 'CH', '--policy', fileURLToPath(FIRST_POLICY));
    expect(vendors).toEqual(['commander', VALIDATOR]);
  });

  it('where in a data directory, no validator in the thread of the log', async () => {
    const { vendors, files } = await loaded('where', 'CH', ...DATA);
    expect(vendors).toEqual(['commander', VALIDATOR]);
    expect(files.filter((url) => url.endsWith('/adapter-sqlite/src/worker.ts'))).toHaveLength(1);
    expect(files.filter((url) => url.endsWith('/contracts/src/policy-event.ts'))).toHaveLength(1);
  });

  it('publish, neither a validator nor what seals', async () => {
    const { vendors, files } = await loaded(...PUBLISH);
    expect(vendors).toEqual(['commander', 'p-limit', 'yocto-queue']);
    expect(declarations(files)).toEqual(['publish-command.ts']);
  });

  it('route, no reader of sealed samples: vendors are seen where they are loaded', async () => {
    const { vendors } = await loaded('route', '--once', ...DATA);
    expect(vendors).toEqual(expect.arrayContaining(['@noble', VALIDATOR]));
    expect(vendors).not.toContain('@aws-crypto');
  });

  it('site check of a named site, no client of Kafka', async () => {
    await writeFile(join(folder, 'cluster.env'), 'RESIDENCY_REGIONS_FILE=regions.json');
    await writeFile(join(folder, 'regions.json'), JSON.stringify({ sites: {} }));
    const { vendors } = await loadedUntil(2, 'site', 'check', 'none', '--config', 'cluster.env');
    expect(vendors).toContain('@aws-sdk');
    expect(vendors).not.toContain('kafkajs');
  });
});
