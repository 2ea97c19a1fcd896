import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

export interface RequestMetrics {
  /**
   * A request to a site's store ended after this time. `result`: `ok`, another expected answer, or
   * an error's code.
   */
  readonly requested: (
    site: string,
    operation: string,
    result: string,
    milliseconds: number,
  ) => void;
}

const OPERATIONS = ['put', 'head', 'get', 'list'];
/** Results of a request that are not failures. */
export const STORE_ANSWERS = ['ok', 'exists', 'missing', 'conflict'];
const MAX_CODES = 32;

export function requestMetrics(make: Instruments, sites: readonly string[]): RequestMetrics {
  const requests = make.counter('residency_store_requests_total');
  const duration = make.histogram('residency_store_request_duration_seconds');
  const [site, operation, result] = [
    new BoundedLabel(sites),
    new BoundedLabel(OPERATIONS),
    new BoundedLabel(STORE_ANSWERS, MAX_CODES),
  ];
  for (const one of sites) requests.inc({ site: one, operation: 'put', result: 'ok' }, 0);
  return {
    requested: (where, what, how, milliseconds) => {
      const labels = { site: site.value(where), operation: operation.value(what) };
      requests.inc({ ...labels, result: result.value(how) });
      duration.observe(labels, milliseconds / 1_000);
    },
  };
}
