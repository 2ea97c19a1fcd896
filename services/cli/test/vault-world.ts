import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { publishSamples, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';
import type { Finished } from './in-process.ts';
import { start } from './start.ts';
import type { Started } from './start.ts';

const NAMES = ['ana', 'ben', 'cleo', 'dan'] as const;
type Name = (typeof NAMES)[number];

/** Ben and Cleo approve; Dan may do nothing. */
const PURPOSES = {
  purposes: [
    {
      id: 'detection',
      principals: ['ana', 'ben'],
      forms: ['cart', 'zip', 'zip-legacy', 'raw'],
      lifetimeSeconds: 3_600,
      daily: { count: 50, bytes: 1_000_000, searches: 30, results: 1_000 },
    },
    {
      id: 'third-party-request',
      principals: ['ana'],
      forms: ['raw'],
      approvals: 2,
      approvers: ['ana', 'ben', 'cleo'],
      lifetimeSeconds: 3_600,
      daily: { count: 50, bytes: 1_000_000 },
    },
    {
      id: 'rarely',
      principals: ['ana'],
      forms: ['raw'],
      lifetimeSeconds: 3_600,
      daily: { count: 1, bytes: 1_000_000 },
    },
  ],
};

export function tokenOf(name: Name): string {
  return name.repeat(16).slice(0, 40).padEnd(40, 'x');
}

export interface VaultWorld {
  readonly folder: Folder;
  readonly running: Started;
  /** By the name of the file that was published. */
  readonly submissions: ReadonlyMap<string, string>;
  /** `sample ...` as this person, at the standalone's vault. */
  as(name: Name, ...args: readonly string[]): Promise<Finished>;
  json(code: number, name: Name, ...args: readonly string[]): Promise<readonly Row[]>;
  accesses(...args: readonly string[]): Promise<readonly Row[]>;
}

/** A data directory with a vault, samples in Zurich, and a running standalone. */
export async function vaultWorld(...samples: readonly string[]): Promise<VaultWorld> {
  const folder = await temporaryFolder();
  await folder.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  await publishSamples(folder, ...samples);
  await folder.run('route', '--once');
  const vault = join(folder.path, '.residency', 'vault');
  await mkdir(vault);
  await writeFile(join(vault, 'purposes.json'), JSON.stringify(PURPOSES));
  await writeFile(
    join(vault, 'tokens.json'),
    JSON.stringify(NAMES.map((principal) => ({ token: tokenOf(principal), principal }))),
  );
  for (const name of NAMES) await writeFile(join(folder.path, `token-${name}`), tokenOf(name));
  const submissions = new Map<string, string>();
  const stored = await folder.json(0, 'sample', 'list', '--region', 'zurich');
  for (const [at, { submission }] of stored.entries())
    submissions.set(samples[at] ?? '', String(submission));
  const running = await start(folder);
  const args = (name: Name, rest: readonly string[]): string[] => [
    'sample',
    ...rest,
    '--region',
    'zurich',
    '--token-file',
    `token-${name}`,
    ...(rest.includes('--vault') ? [] : ['--vault', running.url]),
  ];
  return {
    folder,
    running,
    submissions,
    as: (name, ...rest) => folder.run(...args(name, rest)),
    json: (code, name, ...rest) => folder.json(code, ...args(name, rest)),
    accesses: (...rest) => folder.json(0, 'audit', 'accesses', ...rest),
  };
}

export interface Gate {
  readonly url: string;
  /** Resolves once somebody waits for a sample here. */
  readonly waited: Promise<void>;
}

/** Passes everything on to a vault, but never answers who asks for a sample. */
export async function gate(target: string): Promise<Gate> {
  const { promise: waited, resolve } = Promise.withResolvers<void>();
  const server = createServer((incoming, outgoing) => {
    if (/\/sample(?:\?|$)/.test(incoming.url ?? '')) {
      resolve();
      return;
    }
    const { method = 'GET', headers, url = '/' } = incoming;
    incoming.pipe(
      ask(new URL(url, target), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, waited };
}
