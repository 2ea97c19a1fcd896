import { codeOf } from '@residency/coded-error';
import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import { describeError } from './describe-error.ts';
import { allowedFields } from './log-fields.ts';
import type { LogFields } from './log-fields.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A logger whose fields are an allow-list (`LogFields`): a field that is not on it, or has another
 * shape, is not written. `message` is a constant sentence, never built from input. `error` may be
 * any thrown value.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Sets the least level of written lines; `undefined`: the level with which it was created. */
  setLevel(level: LogLevel | undefined): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /**
   * Receives complete lines. Absent: standard error, because standard output is for a command's
   * result.
   */
  readonly destination?: DestinationStream;
  /**
   * Called for each warning and error, written or not, with its own code or its error's. For
   * metrics.
   */
  readonly onProblem?: (code: string | undefined) => void;
}

/** The bytes kept while a full disk refuses them. Further lines are lost. */
const MOST_WAITING_BYTES = 1_048_576;

/**
 * A line that cannot be written does not end a service: metrics and probes continue, and the next
 * line is tried.
 */
function standardError(): DestinationStream {
  const lines = pino.destination({ dest: 2, sync: true, maxLength: MOST_WAITING_BYTES });
  lines.on('error', () => undefined);
  return lines;
}

/** Writes one JSON object on each line: `level`, `time` (RFC 3339), `msg`, the fields. */
export function createLogger({ level, destination, onProblem }: LoggerOptions): Logger {
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // `error` is described below; pino's own serialisers would write message and stack of any
      // error.
      serializers: {},
    },
    destination ?? standardError(),
  );
  // No further arguments: pino would format them into the message.
  const write =
    (at: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: LogFields = {}): void => {
      if (at === 'warn' || at === 'error') onProblem?.(codeOf(fields.error) ?? fields.code);
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
