import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireRoutingLock } from '../src/routing-lock.ts';
import { startChild } from './child.ts';

describe('the routing lock', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'routing-lock-'));
    file = join(folder, 'routing.lock');
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('lets one holder in, and the next one once it is released', async () => {
    const lock = await acquireRoutingLock(file);
    await expect(acquireRoutingLock(file)).rejects.toMatchObject({
      code: 'ROUTING_LOCKED',
      remedy: 'stop',
    });
    await lock.release();
    await lock.release();
    await (await acquireRoutingLock(file)).release();
  });

  it('keeps another process out while its holder lives, and is free as soon as the holder is killed', async () => {
    const holder = startChild('lock', file);
    await holder.printed(1);
    await expect(acquireRoutingLock(file)).rejects.toMatchObject({ code: 'ROUTING_LOCKED' });
    await holder.kill();
    const lock = await acquireRoutingLock(file);
    const other = startChild('lock', file);
    expect(await other.exit).not.toBe(0);
    await lock.release();
  });

  it('says what is wrong where the file can not be made', async () => {
    await expect(acquireRoutingLock(join(folder, 'missing', 'routing.lock'))).rejects.toMatchObject(
      { code: 'LOG_UNAVAILABLE' },
    );
  });
});
