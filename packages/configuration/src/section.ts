/** Parts of the configuration that a service asks for by name; a variable belongs to one or more. */
export const SECTIONS = [
  'kafka',
  'redis',
  'sites',
  'readers',
  'keys',
  'http',
  'routing',
  'topics',
  'ledger',
  'auditing',
  'reconciling',
  'exporting',
  'status',
  'telemetry',
] as const;
export type Section = (typeof SECTIONS)[number];
