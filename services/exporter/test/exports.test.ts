import * as exporter from '@residency/exporter';
import { expect, test } from 'vitest';

test('exports exactly what starts it', () => {
  expect(Object.keys(exporter).sort()).toEqual(['readConfig', 'startExporter']);
});
