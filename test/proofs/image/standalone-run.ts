import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jsonLines } from '../../e2e/residency.ts';
import { freePorts } from '../../stack/index.ts';
import { Container } from './container.ts';
import type { Engine } from './engine.ts';
import type { Findings } from './findings.ts';
import { untilStored } from './until-stored.ts';

const DATA = ['--data', '/var/lib/residency/data'] as const;
const CHECKPOINTS = ['--checkpoints', '/var/lib/residency/checkpoints'] as const;
const HEALTHY_WITHIN_MS = 120_000;

/** The whole router in one container: publishes, routes, ends, and knows it after a restart. */
export async function standaloneRun(
  engine: Engine,
  image: string,
  findings: Findings,
): Promise<void> {
  const name = `residency-proof-${randomBytes(4).toString('hex')}`;
  const [port = 0] = await freePorts(1);
  await engine.docker('volume', 'create', name);
  try {
    const standalone = await Container.start(engine, {
      name,
      image,
      port,
      env: { RESIDENCY_PORT: String(port) },
      volumes: [`${name}:/var/lib/residency`],
      command: ['services/cli/bin/residency.js', 'start', '--no-examples', ...DATA, ...CHECKPOINTS],
    });
    try {
      await standalone.ready();
      await lookInside(standalone, findings);
      await lifeOf(standalone, findings);
    } finally {
      await standalone.close();
    }
  } finally {
    await engine.remove('volume', 'rm', '--force', name);
  }
}

async function lifeOf(standalone: Container, findings: Findings): Promise<void> {
  const residency = async (line: string, ...more: readonly string[]): Promise<string> =>
    await standalone.run('residency', ...line.split(' '), ...DATA, ...more);
  await residency('consent grant --consent proof-image --subject somebody');
  const published = await residency('publish LICENSE --country CH --consent proof-image --json');
  const submission = String(jsonLines(published)[0]?.['submission']);
  const region = async (): Promise<string> =>
    await untilStored((id) => residency(`status ${id} --json`), submission);
  findings.expect('standalone: a submission from CH', await region(), 'zurich');
  await residency(`status --url ${standalone.url}`);
  await residency('doctor', ...CHECKPOINTS);
  await residency('reconcile');
  findings.saw('standalone: `status`, `doctor`, `reconcile`', 'exit 0 each');
  findings.expect('standalone: its own health check', await healthOf(standalone), 'healthy');
  const { code, seconds } = await standalone.stop();
  findings.expect('standalone: exit code after SIGTERM', code, 0);
  findings.saw('standalone: seconds from SIGTERM to its end', seconds.toFixed(1));
  await standalone.start();
  findings.expect('standalone, started again: the submission', await region(), 'zurich');
  const again = await standalone.stop();
  findings.expect('standalone, started again: exit code after SIGTERM', again.code, 0);
}

/** Process 1: who it is, what it may, and where it can write. */
async function lookInside(container: Container, findings: Findings): Promise<void> {
  const status = await container.run('cat', '/proc/1/status');
  const field = (name: string): string =>
    new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
  findings.expect('process 1: user', field('Uid'), 1000);
  findings.expect('process 1: capabilities', `${field('CapEff')} ${field('CapBnd')}`, NONE);
  findings.expect(
    'process 1: may gain privileges',
    field('NoNewPrivs') === '1' ? 'no' : 'yes',
    'no',
  );
  const program = await container.run('readlink', '/proc/1/exe');
  findings.expect('process 1: program', program, '/usr/local/bin/node');
  const written = await container.run(
    'sh',
    '-c',
    'for folder in / /srv/residency /etc /home/node /tmp /var/lib/residency; do touch "$folder/x" 2>/dev/null && echo "$folder"; done; true',
  );
  findings.expect(
    'folders it can write to',
    written.split('\n').join(' '),
    '/tmp /var/lib/residency',
  );
}

const NONE = `${'0'.repeat(16)} ${'0'.repeat(16)}`;

async function healthOf(container: Container): Promise<string> {
  const deadline = performance.now() + HEALTHY_WITHIN_MS;
  for (;;) {
    const health = await container.state('{{.State.Health.Status}}');
    if (health === 'healthy' || performance.now() > deadline) return health;
    await sleep(500);
  }
}
