/**
 * `npm run setup:tests`: makes ready what the tests need beyond npm. Today that is nothing, so it only looks whether this
 * machine can run them. Exit code 0: ready; 3: something is missing here, and the message says what; 1: a defect.
 */
import { link, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NODE = 26;

interface Check {
  readonly name: string;
  /** What to do where it fails. */
  readonly remedy: string;
  readonly run: (folder: string) => Promise<string>;
}

const CHECKS: readonly Check[] = [
  {
    name: `Node ${NODE} or newer`,
    remedy: 'Run it as `npm run setup:tests` after `npm ci`: the right Node is a development dependency. npm 12 installs it because package.json allows its script.',
    run: async () => {
      if (Number(process.versions.node.split('.')[0]) < NODE) throw new Error(`found ${process.version}`);
      return process.version;
    },
  },
  {
    name: 'SQLite inside Node, with a write-ahead log',
    remedy: 'Point TMPDIR at a local disk; SQLite\'s write-ahead log does not work on network file systems.',
    run: async (folder) => {
      const { DatabaseSync } = await import('node:sqlite');
      const database = new DatabaseSync(join(folder, 'check.sqlite'));
      const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
      const version = database.prepare('SELECT sqlite_version() AS version').get()?.['version'];
      database.close();
      if (mode !== 'wal') throw new Error(`journal mode is ${String(mode)}`);
      return String(version);
    },
  },
  {
    name: 'hard links (object stores commit by link)',
    remedy: 'Point TMPDIR at a file system with hard links.',
    run: async (folder) => {
      await writeFile(join(folder, 'a'), 'a');
      await link(join(folder, 'a'), join(folder, 'b'));
      const { nlink } = await stat(join(folder, 'b'));
      if (nlink !== 2) throw new Error(`found ${nlink} links to a file linked once`);
      return tmpdir();
    },
  },
];

/** Whether all checks passed; says what it found. */
async function ready(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-setup-'));
  try {
    for (const { name, remedy, run } of CHECKS) {
      try {
        console.log(`ok       ${name}: ${await run(folder)}`);
      } catch (error) {
        console.error(`missing  ${name}: ${error instanceof Error ? error.message : String(error)}\n         ${remedy}`);
        return false;
      }
    }
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

console.log('The tests need nothing beyond npm; nothing is installed. Looking whether this machine can run them:');
process.exitCode = (await ready()) ? 0 : 3;
