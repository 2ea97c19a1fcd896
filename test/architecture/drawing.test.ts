import { expect, test } from 'vitest';
import { DRAWING, arrows, draw, drawingIn } from './drawing.ts';
import { text } from './tree.ts';

test('the drawing has exactly the arrows of the code', () => {
  expect(drawingIn(text(DRAWING)), 'npm run drawing').toBe(draw());
});

test('an arrow that two others imply is not drawn; every other one is', () => {
  const graph = new Map([
    ['a', new Set(['b', 'c'])],
    ['b', new Set(['c'])],
    ['c', new Set<string>()],
    ['d', new Set(['c'])],
  ]);
  expect(arrows(graph)).toEqual(['a --> b', 'b --> c', 'd --> c']);
});

test('a cycle is an error', () => {
  const graph = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['a'])],
  ]);
  expect(() => arrows(graph)).toThrow(/no cycle/);
});
