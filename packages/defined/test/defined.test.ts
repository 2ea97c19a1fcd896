import { expect, expectTypeOf, it } from 'vitest';
import { defined } from '../src/index.ts';

it('drops members that are undefined', () => {
  expect('a' in defined({ a: undefined, b: 1 })).toBe(false);
});

it.each([null, 0, '', false, NaN])('keeps %s, which is not undefined', (value) => {
  expect(defined({ value })).toStrictEqual({ value });
});

it('keeps the order of members', () => {
  expect(Object.keys(defined({ b: 1, x: undefined, a: 2 }))).toEqual(['b', 'a']);
});

it('copies: the object given is not changed', () => {
  const given = { a: undefined };
  expect(defined(given)).not.toBe(given);
  expect('a' in given).toBe(true);
});

it('makes members optional that may be undefined, and no others', () => {
  const maybe = (): string | undefined => undefined;
  expectTypeOf(defined({ a: maybe(), b: 1 })).toEqualTypeOf<{ b: number; a?: string }>();
});
