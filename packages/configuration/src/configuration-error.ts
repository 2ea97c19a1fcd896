import { CodedError } from '@residency/coded-error';
import { mistakeLine } from './mistake.ts';
import type { Mistake } from './mistake.ts';

export const CONFIGURATION_ERROR_CODES = ['CONFIGURATION_INVALID'] as const;
export type ConfigurationErrorCode = (typeof CONFIGURATION_ERROR_CODES)[number];

/** Names every mistake, one on each line. */
export class ConfigurationError extends CodedError<ConfigurationErrorCode> {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
    super({
      code: 'CONFIGURATION_INVALID',
      remedy: 'stop',
      message: [
        `Expected a configuration as in docs/reference/configuration.md, found ${count}; correct each:`,
        ...mistakes.map(mistakeLine),
      ].join('\n'),
    });
    this.mistakes = mistakes;
  }
}
