import { expect, it } from 'vitest';
import * as cli from '../src/index.ts';

it('exports what its users import, and nothing else', () => {
  expect(Object.keys(cli).sort()).toEqual(['EXIT', 'createProgram']);
});
