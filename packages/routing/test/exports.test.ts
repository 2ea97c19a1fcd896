import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'BackOff',
    'ROUTING_ERROR_CODES',
    'RoutingError',
    'checkResult',
    'createRouter',
    'pausable',
    'verifyRegions',
  ]);
});
