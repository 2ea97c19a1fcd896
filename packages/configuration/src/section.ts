/**
 * The parts of the configuration. A service requests the ones it needs by name. A variable belongs
 * to one or more.
 */
export const SECTIONS = [
  'kafka',
  'redis',
  'sites',
  'readers',
  'custodians',
  'keys',
  'http',
  'routing',
  'projecting',
  'topics',
  'ledger',
  'checkpoints',
  'auditing',
  'reconciling',
  'custody',
  'exporting',
  'status',
  'telemetry',
] as const;
export type Section = (typeof SECTIONS)[number];
