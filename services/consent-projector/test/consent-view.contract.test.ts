import { setInterval } from 'node:timers/promises';
import { describeConsentView } from '@residency/testkit';
import { MemoryConsentLog } from './memory-consent-log.ts';
import { caughtUp, run } from './running.ts';
import { someRedis } from './some-redis.ts';

describeConsentView('RedisConsentView, fed by the projector,', async () => {
  const { view, projection, close } = await someRedis();
  const log = new MemoryConsentLog();
  let last = 0;
  const now = (): number => (last = Math.max(Date.now(), last + 1));
  const running = run({ source: log, projection });
  const stopped = new AbortController();
  const ticking = (async () => {
    for await (const _ of setInterval(20)) {
      if (stopped.signal.aborted) return;
      log.tick(now());
    }
  })();
  log.tick(now());
  await caughtUp(log, projection);
  return {
    view,
    publishConsent: async (event) => log.publish(event, now()).at,
    publishRecord: async (record) => log.append(record, now()).at,
    close: async () => {
      stopped.abort();
      await ticking;
      await running.stop();
      await close();
    },
  };
});
