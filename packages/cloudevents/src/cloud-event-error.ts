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
] as const;
export type CloudEventErrorCode = (typeof CLOUD_EVENT_ERROR_CODES)[number];

/** The bytes are no CloudEvent we can read, or the event cannot be written that way: park it, trying again changes nothing. */
export class CloudEventError extends CodedError<CloudEventErrorCode> {
  /** Which event of a batch, from 0; absent outside a batch. */
  declare readonly index?: number;
  readonly #problem: string;

  /** `problem`: what was expected and found, in our own words; publishers choose names and values, so neither is ever repeated. */
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

  /** The same error, of one event in a batch. */
  at(index: number): CloudEventError {
    return new CloudEventError(this.code, this.#problem, index);
  }
}
