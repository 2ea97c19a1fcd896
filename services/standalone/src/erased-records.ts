import { codeOf, remedyOf } from '@residency/coded-error';
import type { Logger } from '@residency/telemetry';
import type { DataDirectory } from './data-directory.ts';

/**
 * Returns what deletes the intake records of erased samples; call it after each round. A failure that
 * a later call may mend is logged once, and ends nothing.
 */
export function erasedRecords(
  log: Pick<DataDirectory['log'], 'dropErased'>,
  logger: Logger,
): () => Promise<void> {
  let failed: string | undefined;
  return async () => {
    try {
      await log.dropErased();
      failed = undefined;
    } catch (error) {
      if (remedyOf(error) !== 'retry') throw error;
      const code = codeOf(error);
      if (code !== failed)
        logger.warn(
          'Intake records of erased samples may still be on the disk; the next round tries again.',
          { error },
        );
      failed = code;
    }
  };
}
