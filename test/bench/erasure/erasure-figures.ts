import type { ErasureEvidence } from '../../proofs/erasure/erasure-evidence.ts';
import type { CpuUse } from '../stack/process-figures.ts';
import type { MeasuredConsent } from './erasure-stand.ts';

export interface ErasureBench {
  readonly rounds: number;
  /** Consents of each size that are withdrawn one by one in a round; and as many at once. */
  readonly consents: number;
  /** Stored samples of a consent, by size. */
  readonly sizes: readonly number[];
  /** From one withdrawal to the next. */
  readonly everyMs: number;
  /** Samples sent just before a withdrawal, and as many just after it. */
  readonly onTheirWay: number;
  readonly bytes: number;
  /** Samples a second; `undefined`: half of what the router stored without a load. */
  readonly rate: number | undefined;
  /** Samples that the router's own rate is measured with, at least. */
  readonly least: number;
  /** How long a custodian that erases nothing is measured. */
  readonly calmSeconds: number;
  /** Of the stack's servers. */
  readonly longRunning: boolean;
}

export const WAYS = ['one by one', 'at once'] as const;
export type Way = (typeof WAYS)[number];

/** CPU of the custodian or the floor while it did this. */
export interface Stretch extends CpuUse {
  readonly seconds: number;
}

export interface Round {
  /** The custodian under load, without a withdrawal. */
  readonly calm: Stretch;
  readonly ways: Readonly<Record<Way, Withdrawn>>;
  readonly floor: Stretch & { readonly count: number };
}

export interface Withdrawn extends Stretch {
  readonly consents: readonly MeasuredConsent[];
}

export interface ErasureFigures {
  /** Samples a second that the router stored without a load. */
  readonly reached: number;
  /** That were then sent. */
  readonly rate: number;
  readonly rounds: readonly Round[];
  readonly evidence: ErasureEvidence;
  /** Processes that wanted a core, at the end of each round. */
  readonly loadAverages: readonly number[];
}
