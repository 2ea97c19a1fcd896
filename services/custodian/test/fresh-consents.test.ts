import type { ConsentView } from '@residency/routing';
import { expect, test } from 'vitest';
import { freshConsents } from '../src/vault/fresh-consents.ts';

test('a view of consents that stands still is not believed after 30 s', async () => {
  let [now, watermark] = [1_000_000, 1_000_000];
  const view: ConsentView = { read: async () => ({ watermark, histories: new Map() }) };
  const fresh = freshConsents(view, () => now);
  now += 30_000;
  await expect(fresh.read(['consent-1'])).resolves.toEqual(await view.read([]));
  now += 1;
  await expect(fresh.read(['consent-1'])).rejects.toMatchObject({
    code: 'CONSENTS_BEHIND',
    remedy: 'retry',
  });
  watermark = now + 5;
  await expect(fresh.read(['consent-1'])).resolves.toMatchObject({ watermark });
});
