import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { MADE_BASE, baseImage } from './base-image.ts';
import { clusterRun } from './cluster-run.ts';
import { Engine } from './engine.ts';
import { Findings } from './findings.ts';
import { ImageError } from './image-error.ts';
import { standaloneRun } from './standalone-run.ts';

// `npm run proof:image`: builds the Dockerfile's image and runs it. Exit 1 where it is not what it
// promises, 3 where no engine or base image can be had.
const IMAGE = 'residency-proof-image';
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const { values } = parseArgs({ options: { base: { type: 'string' } } });
const over = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    over.abort(new Error(`Ended by ${name}.`));
  });
const since = performance.now();
const note = (line: string): void => {
  process.stderr.write(`${Math.round((performance.now() - since) / 1_000)} s: ${line}\n`);
};

try {
  const findings = new Findings();
  await prove(findings);
  findings.saw('seconds', Math.round((performance.now() - since) / 1_000));
  console.log('| | |\n|---|---|');
  for (const [name, value] of findings.rows) console.log(`| ${name} | ${value} |`);
  for (const wrong of findings.wrong) console.log(wrong);
  if (findings.wrong.length > 0) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof ImageError)) throw error;
  console.error(`${error.message} (${error.code})`);
  process.exitCode = 3;
}

async function prove(findings: Findings): Promise<void> {
  const options = { signal: over.signal, note };
  const engine = await Engine.open(options);
  try {
    findings.saw('engine', engine.origin);
    const base = values.base ?? (await baseImage(engine, options, findings));
    note('Building the image.');
    await engine.docker(
      'build',
      '--network=host',
      `--build-arg=NODE_IMAGE=${base}`,
      `--tag=${IMAGE}`,
      ROOT,
    );
    const bytes = Number(await engine.docker('image', 'inspect', '--format={{.Size}}', IMAGE));
    findings.saw('image', `${Math.round(bytes / 1_000_000)} MB`);
    note('Running standalone.');
    await standaloneRun(engine, IMAGE, findings);
    note('Running the services on real servers.');
    await clusterRun(engine, IMAGE, findings);
  } finally {
    await engine.remove('image', 'rm', '--force', IMAGE, MADE_BASE);
    await engine.close();
  }
}
