import { expect, it } from 'vitest';
import { CodedError, codeOf, hasCode, remedyOf } from '../src/index.ts';

class DoorError extends CodedError<'DOOR_SHUT'> {}
const shut = new DoorError({
  code: 'DOOR_SHUT',
  message: 'Expected an open door, found it shut; knock.',
  remedy: 'retry',
});

it('carries its code, its remedy and the name of its class', () => {
  expect([shut.name, shut.code, shut.remedy, 'cause' in shut]).toEqual([
    'DoorError',
    'DOOR_SHUT',
    'retry',
    false,
  ]);
});

it('is known by its code across packages and threads, not by its class', () => {
  expect(hasCode(Object.assign(new Error('x'), { code: 'DOOR_SHUT' }), 'DOOR_SHUT')).toBe(true);
  expect(hasCode(shut, 'OTHER')).toBe(false);
  expect(hasCode({ code: 'DOOR_SHUT' }, 'DOOR_SHUT')).toBe(false);
});

it('stops where an error says nothing of a remedy', () => {
  expect([
    remedyOf(shut),
    remedyOf(new Error('x')),
    remedyOf('x'),
    remedyOf(Object.assign(new Error('x'), { remedy: 'forget' })),
  ]).toEqual(['retry', 'stop', 'stop', 'stop']);
});

it('has a code of ours only where it has a remedy', () => {
  expect([
    codeOf(shut),
    codeOf(Object.assign(new Error('x'), { code: 'ENOENT' })),
    codeOf('DOOR_SHUT'),
  ]).toEqual(['DOOR_SHUT', undefined, undefined]);
});
