import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

export interface HttpMetrics {
  /** `route`: the route's pattern; `undefined` if none matches the path. */
  readonly answered: (route: string | undefined, status: number, milliseconds: number) => void;
}

const UNKNOWN = '';

export function httpMetrics(make: Instruments, routes: readonly string[]): HttpMetrics {
  const requests = make.counter('residency_http_requests_total');
  const duration = make.histogram('residency_http_request_duration_seconds');
  const known = new BoundedLabel(routes);
  return {
    answered: (pattern, status, milliseconds) => {
      const route = known.value(pattern ?? UNKNOWN);
      requests.inc({
        route,
        status:
          Number.isInteger(status) && status >= 100 && status < 600 ? String(status) : 'other',
      });
      duration.observe({ route }, milliseconds / 1_000);
    },
  };
}
