export { AVAILABILITY_ERROR_CODES, AvailabilityError } from './availability-error.ts';
export { AvailableSites } from './available-sites.ts';
export { AWAY_AT_START, reportLeftOut } from './report-left-out.ts';
export type { AvailabilityOptions } from './site-availability.ts';
