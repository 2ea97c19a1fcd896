import { RoutingWorld, SHIPPED_POLICY } from '@residency/testkit';
import { expect, test } from 'vitest';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';

const { document: policy } = SHIPPED_POLICY;
const NOW = Date.UTC(2026, 0, 1);

/**
 * The same two buckets under a log that is whole, or begins anew with other bytes at the same
 * offset.
 */
function over(buckets: ReadonlyMap<string, FakeBucket>, sample: string, id = 'x'): RoutingWorld {
  const world = new RoutingWorld()
    .policy(policy)
    .granted(NOW - 1_000)
    .submit(NOW, { id, sample });
  for (const [site, bucket] of buckets)
    world.sites.set(site, new S3ObjectStore({ ...SOME_SETTINGS, site }, bucket));
  return world;
}

test.each(['zrh-1', 'zrh-2'])(
  'an own object in %s that is of another sample stops the router: its metadata tells',
  async (site) => {
    const buckets = new Map(['zrh-1', 'zrh-2'].map((name) => [name, new FakeBucket()]));
    expect((await over(buckets, 'before').route()).settlements[0]?.event.outcome).toBe('stored');
    expect((await over(buckets, 'before').route()).settlements[0]?.event.outcome).toBe('stored');
    if (site === 'zrh-2') buckets.set('zrh-1', new FakeBucket());
    await expect(over(buckets, 'another').route()).rejects.toMatchObject({
      code: 'LOG_REWOUND',
      remedy: 'stop',
      message: expect.stringContaining(site),
    });
  },
);
