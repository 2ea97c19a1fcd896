import * as projector from '@residency/consent-projector';
import { expect, test } from 'vitest';

test('exports exactly what starts it', () => {
  expect(Object.keys(projector).sort()).toEqual(['project', 'readConfig', 'startProjector']);
});
