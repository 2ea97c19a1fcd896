import * as reconciler from '@residency/reconciler';
import { expect, test } from 'vitest';

test('exports exactly what starts it', () => {
  expect(Object.keys(reconciler).sort()).toEqual(['readConfig', 'startReconciler']);
});
