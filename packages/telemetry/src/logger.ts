import { codeOf } from '@residency/coded-error';
import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import { describeError } from './describe-error.ts';
import { allowedFields } from './log-fields.ts';
import type { LogFields } from './log-fields.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Log lines whose fields are an allow-list (`LogFields`): what is not on it, or does not look as it says, is not written.
 * `message` is a sentence in the source, never built from input. `error` may be anything that was thrown.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** From now on the least level of its lines; `undefined`: the one it was opened with. */
  setLevel(level: LogLevel | undefined): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes whole lines; standard error where absent, because standard output belongs to a command's answer. */
  readonly destination?: DestinationStream;
  /** Told of each warning and error, written or not, with the code it names, itself or its error: for metrics. */
  readonly told?: (code: string | undefined) => void;
}

/** One JSON object a line: `level`, `time` (RFC 3339), `msg`, the fields. */
export function createLogger({ level, destination, told }: LoggerOptions): Logger {
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // `error` is described below; pino's own serialisers would write message and stack of any error.
      serializers: {},
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
  // No further arguments: pino would format them into the message.
  const write =
    (at: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: LogFields = {}): void => {
      if (at === 'warn' || at === 'error') told?.(codeOf(fields.error) ?? fields.code);
      lines[at](
        {
          ...allowedFields(fields),
          ...('error' in fields ? { error: describeError(fields.error) } : {}),
        },
        message,
      );
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    setLevel: (next = level) => {
      lines.level = next;
    },
  };
}
