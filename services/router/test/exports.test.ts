import * as router from '@residency/router';
import { expect, test } from 'vitest';

test('exports exactly what starts it', () => {
  expect(Object.keys(router).sort()).toEqual(['readConfig', 'startRouter']);
});
