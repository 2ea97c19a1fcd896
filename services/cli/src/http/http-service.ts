import type { CliErrorCode } from '../terminal/cli-error.ts';

/** What messages and errors say of the service that is asked. */
export interface HttpService {
  /** With its article: `an intake`. */
  readonly a: string;
  /** `the intake`. */
  readonly the: string;
  /** The option that gives its address. */
  readonly option: string;
  /** The variable of its bearer token. */
  readonly tokenVariable: string;
  /** What the service does with a request, as `take this`. */
  readonly does: string;
  readonly codes: {
    /** It does not answer. */
    readonly unreachable: CliErrorCode;
    /** It answers 503 each time. */
    readonly unavailable: CliErrorCode;
    /** The answer is another service's. */
    readonly foreign: CliErrorCode;
  };
}
