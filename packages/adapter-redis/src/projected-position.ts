import { defined } from '@residency/defined';
import { tryReadJson } from '@residency/residency';

/**
 * The progress of the projection. The states are a function of it: they follow from the records of
 * this `log` before `next`.
 */
export interface ProjectedPosition {
  readonly log: string;
  /** The id of the source topic (KIP-516). Absent: the brokers do not support topic ids. */
  readonly topicId?: string;
  /**
   * Random; chosen when a projection starts at the log's beginning. States contain it too. If
   * somebody deleted only the position, the old states have another generation and count as absent.
   */
  readonly generation: string;
  /** The offset of the first record that was not read yet. */
  readonly next: bigint;
  /** Latest append time of the records read; milliseconds. */
  readonly watermark: number;
  /**
   * The projector saw append time go back. No decision may be based on this view until append time
   * has caught up.
   */
  readonly halted: boolean;
}

const OFFSET = /^(?:0|[1-9]\d{0,18})$/;

/** One encoding for each position, because `apply` compares positions as texts. */
export function encodePosition({
  log,
  topicId,
  generation,
  next,
  watermark,
  halted,
}: ProjectedPosition): string {
  return JSON.stringify({
    v: 1,
    log,
    ...defined({ topicId }),
    generation,
    next: String(next),
    watermark,
    halted,
  });
}

/**
 * The inverse of `encodePosition`; `undefined` for anything else. Everybody with write access to
 * Redis controls the text.
 */
export function decodePosition(text: string): ProjectedPosition | undefined {
  const found = tryReadJson(text);
  if (typeof found !== 'object' || found === null) return undefined;
  const { log, topicId, generation, next, watermark, halted }: Partial<Record<string, unknown>> =
    found;
  if (
    typeof log !== 'string' ||
    (topicId !== undefined && typeof topicId !== 'string') ||
    typeof generation !== 'string' ||
    typeof next !== 'string' ||
    !OFFSET.test(next)
  )
    return undefined;
  if (
    typeof watermark !== 'number' ||
    !Number.isSafeInteger(watermark) ||
    typeof halted !== 'boolean'
  )
    return undefined;
  const position = {
    log,
    ...defined({ topicId }),
    generation,
    next: BigInt(next),
    watermark,
    halted,
  };
  return encodePosition(position) === text ? position : undefined;
}
