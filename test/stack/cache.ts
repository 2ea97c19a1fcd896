import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const FINISHED = 'finished';
export const ARTEFACTS = ['kafka', 's3', 'redis'] as const;
export type Artefact = (typeof ARTEFACTS)[number];

/** Where programs that tests need are kept on this machine. */
export function serversFolder(): string {
  return join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'residency-router',
    'servers',
  );
}

/**
 * The folder with a server's jars, fetched by Maven at the first call on this machine. A changed
 * POM is another folder.
 */
export async function jars(artefact: Artefact): Promise<string> {
  const pom = join(import.meta.dirname, 'maven', artefact, 'pom.xml');
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 16);
  const cache = serversFolder();
  const folder = join(cache, `${artefact}-${digest}`);
  if (!existsSync(join(folder, FINISHED))) await fetchInto(cache, folder, pom);
  return folder;
}

async function fetchInto(cache: string, folder: string, pom: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(`${folder}.`);
  try {
    await copyDependencies(pom, fresh);
    await writeFile(join(fresh, FINISHED), '');
    await rename(fresh, folder);
  } catch (error) {
    // Another process was quicker, and a folder appears whole or not at all.
    if (!existsSync(join(folder, FINISHED))) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function copyDependencies(pom: string, folder: string): Promise<void> {
  try {
    await promisify(execFile)(
      'mvn',
      [
        '-B',
        '-q',
        '-f',
        pom,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${folder}`,
      ],
      { maxBuffer: 1 << 24 },
    );
  } catch (error) {
    const output =
      error instanceof Error && 'stdout' in error ? String(error.stdout).slice(-2000) : '';
    throw new Error(
      `Expected Maven to fetch the servers that the tests need, found that it does not; run \`npm run setup:tests\`, or see test/stack/README.md.\n${output}`,
      { cause: error },
    );
  }
}
