/**
 * `npm run setup:tests`: looks whether this machine can run the tests, and makes ready what they
 * need beyond npm. A second time it only looks. Exit code 0: ready; 3: something is missing here,
 * and the message says what; 1: a defect.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ARTEFACTS, jars } from './stack/cache.ts';
import { archiveClasses } from './stack/class-archive.ts';
import { SPIN, fetchProgram } from './stack/debian-program.ts';
import { dockerAnswers } from './stack/docker.ts';
import { java } from './stack/java.ts';
import { redisCommand } from './stack/redis-server.ts';

const NODE = 26;
const JAVA = 17;

interface Requirement {
  readonly name: string;
  /** What to do where it is missing. */
  readonly remedy: string;
  /** What was found; throws where it is missing. The folder is there for the look only. */
  readonly look: (folder: string) => Promise<string>;
  /** Debian packages that bring it: installed where it is missing, if apt-get is there and may. */
  readonly packages?: readonly string[];
}

const REQUIREMENTS: readonly Requirement[] = [
  {
    name: `Node ${NODE} or newer`,
    remedy:
      'Run it as `npm run setup:tests` after `npm ci`: the right Node is a development dependency. npm 12 installs it because package.json allows its script.',
    look: async () => {
      if (Number(process.versions.node.split('.')[0]) < NODE)
        throw new Error(`found ${process.version}`);
      return process.version;
    },
  },
  {
    name: 'SQLite inside Node, with a write-ahead log',
    remedy:
      "Point TMPDIR at a local disk; SQLite's write-ahead log does not work on network file systems.",
    look: async (folder) => {
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
    look: async (folder) => {
      await writeFile(join(folder, 'a'), 'a');
      await link(join(folder, 'a'), join(folder, 'b'));
      const { nlink } = await stat(join(folder, 'b'));
      if (nlink !== 2) throw new Error(`found ${nlink} links to a file linked once`);
      return tmpdir();
    },
  },
  {
    name: `Java ${JAVA} or newer (runs Kafka and S3Proxy)`,
    remedy:
      "Install a Java runtime, such as Debian's default-jre-headless, on the PATH or in JAVA_HOME.",
    packages: ['default-jre-headless'],
    look: async () => {
      const version = /version "(?:1\.)?(\d+)[^"]*"/.exec(await said(java(), '-version'));
      if (Number(version?.[1]) >= JAVA) return version?.[0] ?? '';
      throw new Error(`found ${version?.[0] ?? 'a java that tells no version'}`);
    },
  },
  {
    name: 'Maven (fetches Kafka, S3Proxy and Redis)',
    remedy: "Install Maven, such as Debian's maven, so that `mvn` is on the PATH.",
    packages: ['maven'],
    look: async () =>
      /Apache Maven [\w.]+/.exec(await said('mvn', '-v'))?.[0] ?? 'a version it does not tell',
  },
  {
    name: 'kcat (reads the log as a stranger would)',
    remedy: "Install kcat, such as Debian's kcat, so that `kcat` is on the PATH.",
    packages: ['kcat'],
    look: async () =>
      /Version [\w.]+/.exec(await said('kcat', '-V'))?.[0] ?? 'a version it does not tell',
  },
  {
    name: 'Prometheus (judges the alerts)',
    remedy:
      "Install Prometheus 2.42 or newer, such as Debian's prometheus, so that `prometheus` and `promtool` are on the PATH.",
    packages: ['prometheus'],
    look: async () =>
      /version [\w.]+/.exec(
        (await said('prometheus', '--version')) && (await said('promtool', '--version')),
      )?.[0] ?? 'a version it does not tell',
  },
  {
    name: 'a C compiler (SPIN preprocesses and compiles the model with gcc)',
    remedy: "Install gcc, such as Debian's gcc and libc6-dev, so that `gcc` is on the PATH.",
    packages: ['gcc', 'libc6-dev'],
    look: async () =>
      /\) [\d.]+/.exec(await said('gcc', '--version'))?.[0].slice(2) ??
      'a version it does not tell',
  },
  {
    name: 'SPIN (checks the model of the protocol)',
    remedy:
      "Install SPIN 6.5, such as Debian's spin, so that `spin` is on the PATH; or let apt-get download it (`apt-get update` first).",
    packages: ['spin'],
    look: async () =>
      /Version [\w.]+/.exec(await said(await fetchProgram(SPIN), '-V'))?.[0] ??
      'a version it does not tell',
  },
  {
    name: "the servers' jars",
    remedy: 'Let Maven reach a repository that mirrors Maven Central (its settings.xml).',
    look: async () => {
      const folders = [];
      for (const artefact of ARTEFACTS) folders.push(await jars(artefact));
      return folders.join(' ');
    },
  },
  {
    name: 'Redis',
    remedy: 'Install a redis-server for this machine, 6.2 or newer, on the PATH.',
    packages: ['redis-server'],
    look: async () =>
      /v=[\w.]+/.exec(await said(await redisCommand(), '--version'))?.[0] ??
      'a version it does not tell',
  },
  {
    name: "the servers' classes (Java starts with a third less work)",
    remedy: 'Give this user the right to start servers on 127.0.0.1; see test/stack/README.md.',
    look: async () => (await archiveClasses()).join(' '),
  },
  {
    name: 'container images for the shared servers',
    remedy: 'Set RESIDENCY_TEST_SERVERS=processes to do without containers.',
    look: async () => {
      if (process.env['RESIDENCY_TEST_SERVERS'] === 'processes' || !(await dockerAnswers()))
        return 'not needed, the servers run as processes';
      return (await (await import('./stack/containers.ts')).pullImages()).join(' ');
    },
  },
];

/** What a program prints, on either stream. */
async function said(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(command, args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 1 << 26,
  });
  return `${stdout}${stderr}`;
}

async function install(packages: readonly string[]): Promise<void> {
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return;
  console.log(`install  ${packages.join(', ')}`);
  await said('apt-get', '-o', 'DPkg::Lock::Timeout=300', 'update');
  await said(
    'apt-get',
    '-o',
    'DPkg::Lock::Timeout=300',
    'install',
    '-y',
    '--no-install-recommends',
    ...packages,
  );
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Looks, installs what is missing, and looks again. */
async function meet(
  { name, remedy, look, packages = [] }: Requirement,
  folder: string,
): Promise<boolean> {
  for (const last of packages.length === 0 ? [true] : [false, true]) {
    try {
      console.log(`ok       ${name}: ${await look(folder)}`);
      return true;
    } catch (error) {
      if (last) console.error(`missing  ${name}: ${reason(error)}\n         ${remedy}`);
    }
    if (!last)
      await install(packages).catch((error: unknown) => {
        console.error(`         ${reason(error)}`);
      });
  }
  return false;
}

/** Whether everything is there; tells all that is missing at once. */
async function ready(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-setup-'));
  try {
    let all = true;
    for (const requirement of REQUIREMENTS) all = (await meet(requirement, folder)) && all;
    return all;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

console.log('What the tests need beyond npm:');
process.exitCode = (await ready()) ? 0 : 3;
