/** How far the consent log was projected. States are a function of it: they were made from the records before `next`, of this `log`, and of no others. */
export interface ProjectedPosition {
  readonly log: string;
  /**
   * Random, made where a projection begins at the log's start; states carry it too. States left by an earlier projection (somebody
   * deleted the position alone) are of another generation, and count as absent.
   */
  readonly generation: string;
  /** Offset of the first record that was not read yet. */
  readonly next: bigint;
  /** Latest append time of the records read; milliseconds. */
  readonly watermark: number;
  /** The projector saw append time go back: nobody may decide by this view until it has been mended. */
  readonly halted: boolean;
}

const OFFSET = /^(?:0|[1-9]\d{0,18})$/;

/** One way to write each position: `apply` compares positions as texts. */
export function encodePosition({
  log,
  generation,
  next,
  watermark,
  halted,
}: ProjectedPosition): string {
  return JSON.stringify({ v: 1, log, generation, next: String(next), watermark, halted });
}

/** The inverse of `encodePosition`; `undefined` for anything else. Whoever may write to Redis controls the text. */
export function decodePosition(text: string): ProjectedPosition | undefined {
  let found: Partial<Record<string, unknown>> | null;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== 'object' || found === null) return undefined;
  const { log, generation, next, watermark, halted } = found;
  if (
    typeof log !== 'string' ||
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
  const position = { log, generation, next: BigInt(next), watermark, halted };
  return encodePosition(position) === text ? position : undefined;
}
