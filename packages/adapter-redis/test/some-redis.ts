import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { openStack, sharedRedis } from '../../../test/stack/index.ts';
import type { OwnStack, OwnStackOptions } from '../../../test/stack/index.ts';
import { RedisConsentProjection } from '../src/redis-consent-projection.ts';
import { RedisConsentView } from '../src/redis-consent-view.ts';
import type { RedisSettings } from '../src/redis-settings.ts';

/** A view and a projection over keys nobody else uses; `admin` is a client with all rights. */
export interface SomeRedis {
  readonly settings: RedisSettings;
  readonly view: RedisConsentView;
  readonly projection: RedisConsentProjection;
  readonly admin: Redis;
  readonly key: (rest: string) => string;
  readonly close: () => Promise<void>;
}

export async function someRedis(overrides: Partial<RedisSettings> = {}): Promise<SomeRedis> {
  const { url } = await sharedRedis();
  const settings = { url, keyPrefix: `test-${randomUUID()}`, log: 'log-1', ...overrides };
  const view = new RedisConsentView(settings);
  const projection = new RedisConsentProjection(settings);
  const admin = new Redis(url);
  return {
    settings,
    view,
    projection,
    admin,
    key: (rest) => `{${settings.keyPrefix}}:${rest}`,
    close: async () => {
      await Promise.all([view.close(), projection.close()]);
      admin.disconnect();
    },
  };
}

/** A Redis server for one test. */
export async function ownRedis(
  redis: NonNullable<OwnStackOptions['redis']> = true,
): Promise<OwnStack> {
  const stack = await openStack({ redis });
  onTestFinished(async () => {
    await stack.close();
  });
  return stack;
}

/** The code a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'none',
    (error: unknown) => (error as { readonly code?: unknown }).code ?? error,
  );
}
