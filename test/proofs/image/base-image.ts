import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import { debianTools } from './debian-tools.ts';
import type { Engine, EngineOptions } from './engine.ts';
import type { Findings } from './findings.ts';
import { baseUnavailable } from './image-error.ts';
import { hasCommand, runCommand } from './run-command.ts';

const DOCKERFILE = new URL('../../../Dockerfile', import.meta.url);
export const MADE_BASE = 'residency-proof-base';
const CERTIFICATES = 'etc/ssl/certs/of-the-builder.crt';

/**
 * The name of the image that the Dockerfile begins with, if the engine has it or can pull it; else
 * of one made like it: Debian, the Node that runs this, and npm. Throws `BASE_UNAVAILABLE`.
 */
export async function baseImage(
  engine: Engine,
  { signal, note }: EngineOptions,
  findings: Findings,
): Promise<string> {
  const [, name = ''] = /^ARG NODE_IMAGE=(\S+)$/m.exec(await readFile(DOCKERFILE, 'utf8')) ?? [];
  for (const get of [['image', 'inspect'], ['pull']])
    if ((await engine.tryDocker(...get, name)).code === 0) {
      findings.saw('base image', name);
      return name;
    }
  if (process.getuid?.() !== 0) throw baseUnavailable(name, 'neither, and no root');
  note(`${name} can not be pulled: making a base with debootstrap.`);
  try {
    findings.saw('base image', await makeBase(engine, signal));
    return MADE_BASE;
  } catch (cause) {
    signal.throwIfAborted();
    throw baseUnavailable(name, 'neither, and that none can be made', cause);
  }
}

/** Returns what it is made of. */
async function makeBase(engine: Engine, signal: AbortSignal): Promise<string> {
  const root = join(engine.folder, 'base');
  const env = (await hasCommand('debootstrap'))
    ? process.env
    : await debianTools(join(engine.folder, 'debootstrap'), ['debootstrap'], signal);
  await runCommand(
    'debootstrap',
    ['--variant=minbase', '--include=ca-certificates,libatomic1', 'bookworm', root],
    { env, signal },
  );
  await runCommand('chroot', [root, 'groupadd', '--gid', '1000', 'node'], { signal });
  await runCommand(
    'chroot',
    [root, 'useradd', '--uid', '1000', '--gid', 'node', '--create-home', 'node'],
    { signal },
  );
  await mkdir(join(root, 'usr/local/bin'), { recursive: true });
  await copyFile(process.execPath, join(root, 'usr/local/bin/node'));
  await runCommand(
    'npm',
    [
      'install',
      '--global',
      `--prefix=${join(root, 'usr/local')}`,
      '--ignore-scripts',
      manifest.packageManager,
    ],
    { signal },
  );
  await configureNpm(root, signal);
  const archive = join(engine.folder, 'base.tar');
  await runCommand('tar', ['-C', root, '--exclude=./proc/*', '-cf', archive, '.'], { signal });
  await engine.docker(
    'import',
    '--change',
    `ENV NODE_EXTRA_CA_CERTS=/${CERTIFICATES}`,
    '--change',
    'CMD ["node"]',
    archive,
    MADE_BASE,
  );
  const debian = (await readFile(join(root, 'etc/debian_version'), 'utf8')).trim();
  return `Debian ${debian} (debootstrap), Node ${process.versions.node}, ${manifest.packageManager}`;
}

/** Inside, npm reaches the registry as it does outside. */
async function configureNpm(root: string, signal: AbortSignal): Promise<void> {
  const registry = (await runCommand('npm', ['config', 'get', 'registry'], { signal })).trim();
  await mkdir(join(root, 'usr/local/etc'), { recursive: true });
  await writeFile(join(root, 'usr/local/etc/npmrc'), `registry=${registry}\n`);
  await copyFile(
    process.env['NODE_EXTRA_CA_CERTS'] ?? join(root, 'etc/ssl/certs/ca-certificates.crt'),
    join(root, CERTIFICATES),
  );
}
