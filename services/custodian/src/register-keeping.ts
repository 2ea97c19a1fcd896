import { codeOf } from '@residency/coded-error';
import type { CustodyLog, RegisterKeeping } from '@residency/custodianship';
import type { CustodianMetrics, Logger } from '@residency/telemetry';

/** Where a region's register is kept, and the topics that it is of. */
export type KeptRegister = Pick<RegisterKeeping, 'store' | 'topics' | 'afterRecords'>;

export interface RegisterKeepingDeps {
  readonly custody: Pick<CustodyLog, 'region'>;
  readonly logger: Logger;
  readonly metrics: CustodianMetrics;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** One log line for a register that is passed over, and one for each change of why none is saved. */
export function registerKeeping(
  { custody: { region }, logger, metrics, now }: RegisterKeepingDeps,
  register: KeptRegister,
): RegisterKeeping {
  let failing: string | undefined;
  return {
    ...register,
    passedOver: (code, error) => {
      logger.warn(
        "The custodian's register is passed over, and both logs are read from their start.",
        { region, code, ...(error === undefined ? {} : { error }) },
      );
    },
    opened: (opened) => {
      metrics.register(region, opened);
    },
    saved: (bytes) => {
      failing = undefined;
      metrics.register(region, { bytes, at: now() });
    },
    failed: (error) => {
      const code = codeOf(error) ?? 'UNKNOWN';
      if (failing !== code)
        logger.warn(
          "The custodian's register cannot be saved; the next start reads what is new since the last one.",
          { region, error },
        );
      failing = code;
    },
  };
}
