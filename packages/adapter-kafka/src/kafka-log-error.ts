import { CodedError } from '@residency/coded-error';

export const KAFKA_LOG_ERROR_CODES = [
  'KAFKA_UNREACHABLE',
  'KAFKA_AUTHENTICATION',
  'KAFKA_AUTHORIZATION',
  'KAFKA_FAILED',
  'LOG_MISMATCH',
  'LOG_REPLACED',
  'LOG_CLOSED',
  'TOPIC_MISSING',
  'TOPIC_SETTINGS',
  'RECORD_TOO_LARGE',
  'OFFSET_OUT_OF_RANGE',
  'APPEND_TIME_WENT_BACK',
  'VIEW_NOT_READ',
  'FENCED',
  'PROGRESS_LOST',
  'PROGRESS_DIFFERS',
  'AUDIT_UNDECIDED',
  'CUSTODY_UNDECIDED',
  'INTAKE_UNDECIDED',
  'OWNERSHIP_UNSURE',
  'FETCHED_AHEAD',
  'CONSUMER_STALLED',
  'GROUP_MIXED',
] as const;
export type KafkaLogErrorCode = (typeof KAFKA_LOG_ERROR_CODES)[number];

export class KafkaLogError extends CodedError<KafkaLogErrorCode> {}
