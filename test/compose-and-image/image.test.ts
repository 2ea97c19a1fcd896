import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exists, root, text } from '../architecture/tree.ts';
import { SERVICES, mounts, ours, programOf, service } from './compose-file.ts';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

const instructions: readonly Instruction[] = text('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({
    name: line.slice(0, line.indexOf(' ')),
    rest: line.slice(line.indexOf(' ') + 1).trim(),
  }));

const all = (name: string): readonly string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));

const rules = text('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const keeps = line.startsWith('!');
    // Unlike in a shell, the engine's `*` also matches names that begin with a dot.
    const pattern = RegExp.escape(keeps ? line.slice(1) : line)
      .replaceAll('\\*\\*\\/', '(?:.*/)?')
      .replaceAll('\\*', '[^/]*');
    return { keeps, pattern: new RegExp(`^${pattern}(?:/.*)?$`) };
  });

/**
 * Evaluates the rules like an engine: the last rule that matches the path, or a folder above it,
 * wins.
 */
function ignored(path: string): boolean {
  return rules.reduce(
    (before, { keeps, pattern }) => (pattern.test(path) ? !keeps : before),
    false,
  );
}

/** Every file of the build context, including files that would be in it if they existed. */
function context(folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return entry.name === 'node_modules' || entry.name === '.git' ? [] : context(path);
    return ignored(path) ? [] : [path];
  });
}

const sent = context();

describe('the Dockerfile', () => {
  it('uses the exact Node version of development and tests', () => {
    const { devDependencies } = JSON.parse(text('package.json')) as {
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    const stages = all('FROM').flatMap((from) => / AS (\w+)$/.exec(from)?.[1] ?? []);
    const foreign = all('FROM')
      .map((from) => from.split(' ')[0] ?? '')
      .filter((image) => !stages.includes(image));
    expect(foreign).toEqual(['${NODE_IMAGE}']);
    expect(all('ARG')).toEqual([`NODE_IMAGE=node:${devDependencies['node']}-bookworm-slim`]);
    expect(stages.length).toBeGreaterThan(1);
  });

  it('copies only files that exist and are in the build context, and everything that runs', () => {
    const copied = all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(copied).toEqual(
      expect.arrayContaining([
        'package.json',
        'package-lock.json',
        'packages',
        'services',
        'policy',
        'examples',
      ]),
    );
    for (const path of copied)
      expect({
        path,
        sent: exists(path) && sent.some((file) => file === path || file.startsWith(`${path}/`)),
      }).toEqual({ path, sent: true });
    const running = [
      ...SERVICES.map((name) => `services/${programOf(name)}/src/main.ts`),
      'services/cli/bin/residency.js',
      'packages/residency/src/index.ts',
      'packages/telemetry/package.json',
      'policy/residency-1.json',
      'examples/submissions.json',
    ];
    for (const path of running)
      expect({ path, sent: sent.includes(path) }).toEqual({ path, sent: true });
  });

  it('installs production dependencies only, and lets no package run a script', () => {
    const [install, ...others] = all('RUN').filter((run) => run.includes('npm ci'));
    expect(others).toEqual([]);
    expect(install).toMatch(/^npm ci --omit=dev --ignore-scripts /);
    expect(
      all('RUN').some((run) => run.includes('npm pkg delete devDependencies --workspaces')),
    ).toBe(true);
    // A workspace that another one needs must be in the context.
    for (const path of sent.filter((file) =>
      /^(?:packages|services)\/[^/]+\/package\.json$/.test(file),
    )) {
      const { dependencies = {} } = JSON.parse(text(path)) as {
        readonly dependencies?: Readonly<Record<string, string>>;
      };
      const missing = Object.keys(dependencies)
        .filter((name) => name.startsWith('@residency/'))
        .map((name) => name.slice('@residency/'.length))
        .filter(
          (name) =>
            !sent.includes(`packages/${name}/package.json`) &&
            !sent.includes(`services/${name}/package.json`),
        );
      expect({ path, missing }).toEqual({ path, missing: [] });
      expect(Object.keys(dependencies)).not.toContain('vitest');
    }
  });

  it('ends as a user without rights, with the service itself as the process that gets SIGTERM', () => {
    const names = last.map(({ name }) => name);
    expect(last.filter(({ name }) => name === 'USER').map(({ rest }) => rest)).toEqual(['node']);
    expect(names.slice(names.indexOf('USER'))).toEqual([
      'USER',
      'EXPOSE',
      'HEALTHCHECK',
      'ENTRYPOINT',
      'CMD',
    ]);
    expect(JSON.parse(last.find(({ name }) => name === 'ENTRYPOINT')?.rest ?? '')).toEqual([
      'node',
      '--disable-sigusr1',
    ]);
    const [entry = ''] = JSON.parse(
      last.find(({ name }) => name === 'CMD')?.rest ?? '',
    ) as readonly string[];
    expect(sent).toContain(entry);
    for (const name of SERVICES) {
      expect(service(name).entrypoint).toBeUndefined();
      expect(sent).toContain(service(name).command?.[0]);
    }
    expect(all('RUN').join('\n')).toContain(
      'ln -s /srv/residency/services/cli/bin/residency.js /usr/local/bin/residency',
    );
  });

  it('creates the folders of the volumes, so that their owner is that user', () => {
    const [, made = ''] =
      /install -d -o node -g node -m 0700 ([\w/ -]+)/.exec(all('RUN').join('\n')) ?? [];
    const covered = [
      ...new Set(
        ours.flatMap((name) =>
          mounts(name)
            .filter(({ bound }) => !bound)
            .map(({ target }) => target),
        ),
      ),
    ];
    expect(covered.length).toBeGreaterThan(3);
    expect(made.split(' ')).toEqual(expect.arrayContaining(covered));
  });
});

describe('the build context', () => {
  it('contains no history, test, document, secret, installed package or setting', () => {
    expect(
      sent.filter(
        (path) =>
          !/^(?:package\.json|package-lock\.json|LICENSE|policy\/residency-1\.json|(?:packages|services)\/[^/]+\/(?:package\.json|bin\/.+|src\/.+)|examples\/(?:submissions\.json|samples\/[^/]+))$/.test(
            path,
          ),
      ),
    ).toEqual([]);
    const never = [
      '.git/config',
      'node_modules/x/index.js',
      'services/cli/node_modules/x/index.js',
      'packages/routing/test/a.test.ts',
      'test/compose-and-image/image.test.ts',
      'docs/design.md',
      'deploy/compose/secrets/site-zrh-1',
      'deploy/compose/compose.yaml',
      '.env',
      'services/router/residency.env',
      'packages/sealing/src/a.private.pem',
      'packages/testkit/src/index.ts',
      '.residency/keys/zurich/a.private.pem',
      'services/cli/.residency/ledger-key',
      'policy/generate.ts',
    ];
    expect(never.filter((path) => !ignored(path))).toEqual([]);
  });
});

describe('the health checks', () => {
  const [, imageCheck = ''] = /CMD (\[.*\])$/.exec(all('HEALTHCHECK')[0] ?? '') ?? [];
  const ofImage = JSON.parse(imageCheck) as readonly string[];
  const PORT = 'RESIDENCY_HTTP_PORT';
  const checks = [
    ['the image', '/livez', PORT, ofImage] as const,
    ['the image that runs `residency start`', '/livez', 'RESIDENCY_PORT', ofImage] as const,
    ...SERVICES.map(
      (name) => [name, '/readyz', PORT, (service(name).healthcheck?.test ?? []).slice(1)] as const,
    ),
  ];

  it.each(checks)(
    'of %s request %s at the port that the service listens on',
    async (_, path, variable, [program, ...args]) => {
      expect(program).toBe('node');
      let status = 200;
      const asked: (string | undefined)[] = [];
      const server = createServer((request, response) => {
        asked.push(request.url);
        response.writeHead(status).end();
      }).listen(0, '127.0.0.1');
      onTestFinished(() => {
        server.close();
      });
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const check = async (): Promise<unknown> =>
        (
          await once(
            spawn(process.execPath, args, {
              env: { [variable]: String(port) },
              stdio: 'ignore',
            }),
            'exit',
          )
        )[0];

      expect(await check()).toBe(0);
      status = 503;
      expect(await check()).toBe(1);
      expect(asked).toEqual([path, path]);
      server.close();
      await once(server, 'close');
      expect(await check()).toBe(1);
    },
  );
});
