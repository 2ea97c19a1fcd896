import { chown, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonLines } from '../../e2e/residency.ts';
import { Deployment } from '../../running-deployment/deployment.ts';
import { freePorts, openStack } from '../../stack/index.ts';
import { Container, HARDENED } from './container.ts';
import type { Engine } from './engine.ts';
import type { Findings } from './findings.ts';
import { untilStored } from './until-stored.ts';

/** Each by its `main.ts`. The projector first: routers wait for its view. */
const SERVICES = [
  'consent-projector',
  'router',
  'intake',
  'auditor',
  'exporter',
  'reconciler',
] as const;
/** Each with the region of its submissions. */
const COUNTRIES = new Map([
  ['CH', 'zurich'],
  ['BR', 'moscow'],
]);
const USER = 1000;

/** Every service of the image on real servers; the command line of the image publishes and looks. */
export async function clusterRun(engine: Engine, image: string, findings: Findings): Promise<void> {
  const stack = await openStack({ brokers: 1, sites: true, redis: true });
  try {
    const deployment = await Deployment.open(stack);
    try {
      for (const country of COUNTRIES.keys())
        await writeFile(
          join(deployment.folder, `sample-${country}`),
          `A sample from ${country}.\n`,
        );
      await give(deployment.folder, USER);
      await onDeployment({ engine, image, findings, deployment });
    } finally {
      await deployment.close();
    }
  } finally {
    await stack.close();
  }
}

interface Parts {
  readonly engine: Engine;
  readonly image: string;
  readonly findings: Findings;
  readonly deployment: Deployment;
}

async function onDeployment(parts: Parts): Promise<void> {
  const { engine, image, deployment } = parts;
  const { folder, env } = deployment;
  const ports = await freePorts(SERVICES.length);
  const services: Container[] = [];
  try {
    for (const [index, service] of SERVICES.entries()) {
      const port = ports[index] ?? 0;
      const container = await Container.start(engine, {
        name: `residency-proof-${service}-${port}`,
        image,
        port,
        env: { ...env, RESIDENCY_HTTP_PORT: String(port) },
        volumes: [`${folder}:${folder}`],
        command: [`services/${service}/src/main.ts`],
      });
      services.push(container);
    }
    await lifeOf(services, parts);
  } finally {
    for (const container of services) await container.close();
  }
}

async function lifeOf(
  services: readonly Container[],
  { engine, image, findings, deployment: { folder } }: Parts,
): Promise<void> {
  const residency = async (line: string): Promise<string> =>
    await engine.docker(
      'run',
      '--rm',
      ...HARDENED,
      `--volume=${folder}:${folder}`,
      `--workdir=${folder}`,
      '--entrypoint=residency',
      image,
      ...line.split(' '),
      '--config',
      'residency.env',
    );
  for (const container of services) await container.ready();
  findings.saw('/readyz answers 200', SERVICES.join(', '));
  await residency('consent grant --consent proof-image --subject somebody');
  for (const [country, region] of COUNTRIES) {
    const line = `publish sample-${country} --country ${country} --consent proof-image --json`;
    const submission = String(jsonLines(await residency(line))[0]?.['submission']);
    const found = await untilStored((id) => residency(`status ${id} --json`), submission);
    findings.expect(`router: a submission from ${country}`, found, region);
  }
  await residency('reconcile');
  findings.saw('router: `reconcile`', 'exit 0');
  for (const [index, container] of services.entries()) {
    const { code, seconds } = await container.stop();
    findings.expect(`${SERVICES[index]}: exit code after SIGTERM`, code, 0);
    findings.saw(`${SERVICES[index]}: seconds from SIGTERM to its end`, seconds.toFixed(1));
  }
}

/** The deployment's files belong to whoever runs this; the image's user must read them. */
async function give(path: string, user: number): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const paths = await readdir(path, { recursive: true });
  for (const one of ['.', ...paths]) await chown(join(path, one), user, user);
}
