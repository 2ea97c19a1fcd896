import { CodedError } from '@residency/coded-error';

export const CLOUD_EVENT_ERROR_CODES = [
  'NOT_A_CLOUDEVENT',
  'UNSUPPORTED_SPECVERSION',
  'UNSUPPORTED_MODE',
  'MISSING_ATTRIBUTE',
  'DUPLICATE_ATTRIBUTE',
  'INVALID_ATTRIBUTE_NAME',
  'INVALID_ATTRIBUTE_VALUE',
  'INVALID_DATA',
  'BATCH_TOO_LONG',
  'TOO_MANY_TOKENS',
] as const;
export type CloudEventErrorCode = (typeof CLOUD_EVENT_ERROR_CODES)[number];

/**
 * The bytes are not a readable CloudEvent, or the event cannot be written in this mode. Park it,
 * because a retry changes nothing.
 */
export class CloudEventError extends CodedError<CloudEventErrorCode> {
  /** The index of the event in its batch, from 0; absent outside a batch. */
  declare readonly index?: number;
  readonly #problem: string;

  /**
   * `problem`: the expected and the found, in constant words. Publishers choose names and values,
   * so neither is repeated.
   */
  constructor(code: CloudEventErrorCode, problem: string, index?: number) {
    const where = index === undefined ? '' : `Event ${index} of the batch: `;
    super({
      code,
      message: `${where}${problem}. Correct the event at its publisher and send it again.`,
      remedy: 'park',
    });
    this.#problem = problem;
    if (index !== undefined) this.index = index;
  }

  /** The same error, for one event of a batch. */
  at(index: number): CloudEventError {
    return new CloudEventError(this.code, this.#problem, index);
  }
}
