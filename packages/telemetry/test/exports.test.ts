import * as telemetry from '@residency/telemetry';
import { expect, test } from 'vitest';

test('exports exactly what its README promises', () => {
  expect(Object.keys(telemetry).sort()).toEqual([
    'EXPORTED_SOURCES',
    'LOG_LEVELS',
    'METRICS',
    'METRIC_SOURCES',
    'OUTCOME_WITHIN_SECONDS',
    'STORE_ANSWERS',
    'VIOLATION_CODES',
    'createLogger',
    'createMetrics',
    'metricsReference',
  ]);
});
