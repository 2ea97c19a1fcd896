import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jars } from './cache.ts';
import { exchange } from './exchange.ts';
import type { Guarded } from './guarded.ts';
import { GuardedServer } from './server.ts';
import type { Server } from './server.ts';
import { zipEntry } from './zip-entry.ts';

/** File name to content, of everything that Redis had on disk. */
export type RedisData = ReadonlyMap<string, Buffer>;

export interface RedisServer extends Server {
  /** What is on disk after a SAVE. */
  copyData(): Promise<RedisData>;
  /** Kills it, puts an older copy of its data in place and starts it. */
  replaceData(data: RedisData): Promise<void>;
}

export interface RedisOptions {
  /** Lines of redis.conf, such as `requirepass`; they replace the stack's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of an ACL file, such as `user router on >secret ~{a}:* +get`. */
  readonly users?: readonly string[];
}

const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
};

/** The binary inside the jar; elsewhere an installed one. */
export async function redisCommand(): Promise<string> {
  const binary = BINARIES[`${process.platform}-${process.arch}`];
  if (binary === undefined) return 'redis-server';
  const folder = await jars('redis');
  const path = join(folder, binary);
  if (existsSync(path)) return path;
  const jar = (await readdir(folder)).find(
    (name) => name.startsWith('embedded-redis-') && name.endsWith('.jar'),
  );
  if (jar === undefined)
    throw new Error(
      `Expected the embedded-redis jar in ${folder}, found none; remove that folder and run it again.`,
    );
  const fresh = `${path}.${process.pid}.${Date.now()}`;
  await writeFile(fresh, zipEntry(await readFile(join(folder, jar)), binary));
  await chmod(fresh, 0o755);
  await rename(fresh, path);
  return path;
}

/** Not started yet. */
export async function redisServer(
  guarded: Guarded,
  port: number,
  { settings = {}, users }: RedisOptions,
): Promise<RedisServer> {
  const [data, file, acl] = [
    join(guarded.folder, 'redis'),
    join(guarded.folder, 'redis.conf'),
    join(guarded.folder, 'users.acl'),
  ];
  await mkdir(data);
  if (users !== undefined) await writeFile(acl, users.map((line) => `${line}\n`).join(''));
  const all = {
    port: String(port),
    bind: '127.0.0.1',
    dir: data,
    save: '""',
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    ...(users === undefined ? {} : { aclfile: acl }),
    ...settings,
  };
  await writeFile(
    file,
    Object.entries(all)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  );
  const command = {
    name: 'redis',
    command: await redisCommand(),
    args: [file],
    ready: () => answers(port),
  };
  return new GuardedRedis(guarded, command, { port, data, password: settings['requirepass'] });
}

async function answers(port: number): Promise<boolean> {
  const answer = (
    await exchange(port, Buffer.from('PING\r\n'), (bytes) => bytes.includes('\n'))
  ).toString();
  return answer.startsWith('+PONG') || answer.startsWith('-NOAUTH') || answer.startsWith('-NOPERM');
}

interface RedisPlace {
  readonly port: number;
  readonly data: string;
  readonly password: string | undefined;
}

class GuardedRedis extends GuardedServer implements RedisServer {
  readonly #place: RedisPlace;

  constructor(
    guarded: Guarded,
    command: ConstructorParameters<typeof GuardedServer>[1],
    place: RedisPlace,
  ) {
    super(guarded, command);
    this.#place = place;
  }

  async copyData(): Promise<RedisData> {
    const { port, data, password } = this.#place;
    const auth = password === undefined ? '' : `AUTH ${password}\r\n`;
    const answer = await exchange(
      port,
      Buffer.from(`${auth}SAVE\r\n`),
      (bytes) => bytes.toString().split('\n').length > (auth === '' ? 1 : 2),
    );
    if (!answer.toString().endsWith('+OK\r\n'))
      throw new Error(
        'Expected Redis to save, found that it refuses; may its default user run SAVE?',
      );
    return new Map(
      await Promise.all(
        (await readdir(data)).map(
          async (name) => [name, await readFile(join(data, name))] as const,
        ),
      ),
    );
  }

  async replaceData(files: RedisData): Promise<void> {
    await this.kill();
    await rm(this.#place.data, { recursive: true });
    await mkdir(this.#place.data);
    for (const [name, content] of files) await writeFile(join(this.#place.data, name), content);
    await this.start();
  }
}
