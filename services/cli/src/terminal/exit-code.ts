import { codeOf, remedyOf } from '@residency/coded-error';

/** The exit codes of a command. */
export const EXIT = { done: 0, found: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The caller has to name something else. */
const USAGE: ReadonlySet<string> = new Set([
  'USAGE',
  'READ_ONLY',
  'FILE_UNREADABLE',
  'FILE_EXISTS',
  'NOT_THERE',
  'TOKEN_REFUSED',
  'JOURNAL_UNREADABLE',
  'NOT_A_DATA_DIRECTORY',
  'DATA_DIRECTORY_NEWER',
  'DATA_DIRECTORY_UNUSABLE',
  'CHECKPOINTS_UNUSABLE',
  'LOG_SCHEMA_NEWER',
  'INVALID_POLICY',
  'INVALID_POSITION',
  'INVALID_CONSENT_EVENT',
  'INVALID_ATTRIBUTE_VALUE',
  'INVALID_KEY_NAME',
  'KEY_UNKNOWN',
  'KEY_LAST',
  'INVALID_TOKEN',
  'TOKENS_REQUIRED',
  'CONFIGURATION_INVALID',
  'CONFIGURATION_INCOMPLETE',
  'LOG_MISMATCH',
  'KAFKA_AUTHENTICATION',
  'KAFKA_AUTHORIZATION',
  'REDIS_SETTINGS',
  'REDIS_AUTHENTICATION',
  'REDIS_FORBIDDEN',
  'CONSENT_VIEW_FOREIGN',
  'INVALID_SITE_SETTINGS',
  'SITE_REGION_MISMATCH',
]);

/**
 * The failure is permanent: another attempt does not help. Transient failures have remedy `retry`.
 */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ROUTING_LOCKED',
  'LOG_UNAVAILABLE',
  'PORT_IN_USE',
  'LISTEN_REFUSED',
  'SITE_MARKER_MISSING',
  'TOPIC_MISSING',
  'KAFKA_FAILED',
  'SCRATCH_UNUSABLE',
  'OUTPUT_UNWRITABLE',
  'NOT_RECORDED',
]);

export function exitCodeOf(error: unknown): ExitCode {
  const code = codeOf(error);
  if (code === 'INTERRUPTED') return EXIT.interrupted;
  if (code !== undefined && USAGE.has(code)) return EXIT.usage;
  if ((code !== undefined && UNREACHABLE.has(code)) || remedyOf(error) === 'retry')
    return EXIT.unreachable;
  return EXIT.found;
}
