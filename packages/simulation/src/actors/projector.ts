import { RedisConsentProjection } from '@residency/adapter-redis';
import { remedyOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { project } from '@residency/consent-projector';
import { LOG } from '../names.ts';
import type { SimProcess } from '../process.ts';
import { diagnosticsOf, openLog, pause } from './log.ts';
import { MARGIN_MS } from './router.ts';

const TICK_MS = 250;

/** As `services/consent-projector` composes it. */
export async function projector(process: SimProcess): Promise<void> {
  const {
    stop: { signal },
  } = process;
  const log = await openLog(process, 'residency-consent-projector');
  const projection = new RedisConsentProjection({
    url: 'redis://simulated:6379',
    keyPrefix: 'sim',
    log: LOG,
  });
  const failed = new AbortController();
  const tick = async (): Promise<void> => {
    while (!signal.aborted && !failed.signal.aborted) {
      try {
        await log.tick(Date.now());
      } catch (error) {
        if (remedyOf(error) !== 'retry') throw error;
      }
      await pause(TICK_MS);
    }
  };
  const projecting = project({
    source: {
      log: log.name,
      batches: (from, stop) =>
        log.readBatches(TOPICS.consents, {
          ...(from === undefined ? {} : { from: new Map([[0, from]]) }),
          until: 'aborted',
          signal: stop,
        }),
      topicId: () => log.topicId(TOPICS.consents),
      end: async () => (await log.ends(TOPICS.consents)).get(0) ?? 0n,
    },
    projection,
    signal,
    diagnostics: diagnosticsOf(process),
    appendTimeMarginMs: MARGIN_MS,
  });
  try {
    await Promise.all([projecting, tick()]);
  } finally {
    failed.abort();
    await log.close();
  }
}
