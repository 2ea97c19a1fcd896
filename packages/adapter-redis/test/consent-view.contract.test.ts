import { randomUUID } from 'node:crypto';
import { consentCloudEvent, consentEntry } from '@residency/contracts';
import { SALT, describeConsentView } from '@residency/testkit';
import { someRedis } from './some-redis.ts';
import { TestProjector } from './test-projector.ts';

describeConsentView('RedisConsentView', async () => {
  const { view, projection, close } = await someRedis();
  // From the first record on there is a view: before that, reading says that there is none.
  await projection.apply({
    expected: undefined,
    to: { next: 0n, watermark: 0, halted: false },
    histories: new Map(),
  });
  const projector = new TestProjector(projection);
  return {
    view,
    publishConsent: async (event) =>
      projector.append(
        consentEntry(consentCloudEvent(event, { id: randomUUID(), source: 'urn:test' }), SALT)
          .record,
      ),
    publishRecord: async (record) => projector.append(record),
    close: async () => {
      await projector.stop();
      await close();
    },
  };
});
