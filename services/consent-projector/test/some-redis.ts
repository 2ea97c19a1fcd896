import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { RedisConsentProjection, RedisConsentView } from '@residency/adapter-redis';
import type { RedisSettings } from '@residency/adapter-redis';
import { onTestFinished } from 'vitest';
import { openStack, sharedRedis } from '../../../test/stack/index.ts';
import type { OwnStack } from '../../../test/stack/index.ts';

/**
 * A view and a projection over keys nobody else uses, and an operator who copies, empties and
 * restores them.
 */
export interface SomeRedis {
  readonly view: RedisConsentView;
  readonly projection: RedisConsentProjection;
  readonly settings: RedisSettings;
  readonly flush: () => Promise<void>;
  readonly copy: () => Promise<string>;
  readonly restore: (copy: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

// Each in one step, as a Redis that turns into an older copy of itself does.
const COPY = `
local copy = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do copy[#copy + 1] = key; copy[#copy + 1] = redis.call('GET', key) end
return cjson.encode(copy)`;
const RESTORE = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end
local copy = cjson.decode(ARGV[2])
for index = 1, #copy, 2 do redis.call('SET', copy[index], copy[index + 1]) end
return ''`;

export async function someRedis(url?: string): Promise<SomeRedis> {
  const settings = {
    url: url ?? (await sharedRedis()).url,
    keyPrefix: `test-${randomUUID()}`,
    log: 'log-1',
    timeouts: { connectMs: 1_000, commandMs: 1_000 },
  };
  const [view, projection] = [new RedisConsentView(settings), new RedisConsentProjection(settings)];
  const pattern = `{${settings.keyPrefix}}:*`;
  const restore = async (copy: string): Promise<void> => {
    await evaluate(settings.url, RESTORE, [pattern, copy]);
  };
  return {
    view,
    projection,
    settings,
    restore,
    flush: async () => {
      await restore('[]');
    },
    copy: async () => await evaluate(settings.url, COPY, [pattern]),
    close: async () => {
      await Promise.all([view.close(), projection.close()]);
    },
  };
}

/** A Redis server for one test. */
export async function ownRedis(): Promise<OwnStack> {
  const stack = await openStack({ redis: true });
  onTestFinished(async () => {
    await stack.close();
  });
  return stack;
}

/** The bulk string a script answers. */
async function evaluate(url: string, script: string, args: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  try {
    await once(socket, 'connect');
    const command = ['EVAL', script, '0', ...args];
    socket.write(
      `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`,
    );
    let answer = Buffer.alloc(0);
    for await (const bytes of socket) {
      answer = Buffer.concat([answer, bytes as Buffer]);
      const head = answer.indexOf('\r\n');
      if (head < 0) continue;
      if (answer[0] !== 0x24) throw new Error(answer.toString('utf8', 0, head));
      const length = Number(answer.toString('utf8', 1, head));
      if (answer.length >= head + 2 + length + 2)
        return answer.toString('utf8', head + 2, head + 2 + length);
    }
    throw new Error('Expected an answer.');
  } finally {
    socket.destroy();
  }
}
