import type { SqliteLog } from '@residency/adapter-sqlite';
import type { Logger } from '@residency/telemetry';

export interface Retention {
  stop(): Promise<void>;
}

const EVERY_MS = 60 * 60 * 1_000;

/**
 * Drops the payloads of intake records that were settled more than `retainMs` ago, at once and then
 * every hour. A failure is logged, and the next round tries again.
 */
export function startRetention(
  log: Pick<SqliteLog, 'dropExpired'>,
  retainMs: number,
  logger: Logger,
  everyMs = EVERY_MS,
): Retention {
  let round: Promise<void> = Promise.resolve();
  const drop = (): void => {
    round = round.then(async () => {
      try {
        const records = await log.dropExpired(Date.now() - retainMs);
        logger.debug('Retention looked for expired payloads.', { records });
      } catch (error) {
        logger.warn('Expired intake records were not dropped; the next round tries again.', {
          error,
        });
      }
    });
  };
  drop();
  const timer = setInterval(drop, everyMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await round;
    },
  };
}
