import { CodedError, codeOf } from '@residency/coded-error';
import { SharedWait } from '@residency/operations';
import { eventually } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Source } from '../src/source.ts';
import { refreshSource } from '../src/refresh-source.ts';
import { reportWait } from '../src/report-wait.ts';

let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
});

/**
 * A source that answers as told, reading after reading; the last answer holds. What happens to it
 * is written down.
 */
function telling(name: Source['name'], answers: (() => Promise<string>)[], patienceMs = 30) {
  const seen: string[] = [];
  let readings = 0;
  const source: Source = {
    name,
    read: async () => {
      readings += 1;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      const value = await answer?.();
      return () => {
        if (value === 'defect') throw new TypeError('x');
        seen.push(`shows ${value}`);
      };
    },
    forget: () => {
      seen.push('absent');
    },
  };
  const done = refreshSource(source, {
    intervalMs: 5,
    patienceMs,
    signal: stop.signal,
    onRead: (_, error) => {
      seen.push(error === undefined ? 'told' : `waits ${codeOf(error)}`);
    },
  });
  return { seen, done, readings: () => readings };
}

const is = (value: string) => () => Promise.resolve(value);
const fails = (failure: Error) => () => Promise.reject(failure);
const away = new CodedError({ code: 'KAFKA_UNREACHABLE', remedy: 'retry', message: 'x' });

async function until(seen: readonly string[], entry: string): Promise<void> {
  await eventually(() => Promise.resolve(seen.includes(entry) ? true : undefined));
}

test('shows what it read, nothing while it can not be read, and what it reads then', async () => {
  const { seen } = telling('redis', [is('1'), fails(away), is('2')]);
  await until(seen, 'shows 2');
  expect(seen.slice(0, 5)).toEqual([
    'shows 1',
    'told',
    'absent',
    'waits KAFKA_UNREACHABLE',
    'shows 2',
  ]);
});

test('a failure that nobody gave a code, one of telling too, is waited for and named', async () => {
  const { seen } = telling('redis', [
    fails(new TypeError('x')),
    is('defect'),
    fails(Object.assign(new Error('x'), { code: 'ECONNRESET' })),
    is('1'),
  ]);
  await until(seen, 'told');
  expect(seen.slice(0, 8)).toEqual([
    'absent',
    'waits SOURCE_FAILED',
    'absent',
    'waits SOURCE_FAILED',
    'absent',
    'waits SOURCE_FAILED',
    'shows 1',
    'told',
  ]);
});

test('one that does not answer shows nothing and is not asked again until it does; what it answers late is not shown, but read anew', async () => {
  const late = Promise.withResolvers<string>();
  const { seen, readings } = telling('kafka', [is('1'), () => late.promise, is('3')]);
  await until(seen, 'waits SOURCE_LATE');
  const asked = readings();
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  expect(readings()).toBe(asked);
  late.resolve('2');
  await until(seen, 'shows 3');
  expect(seen).not.toContain('shows 2');
  expect(seen.filter((entry) => entry === 'waits SOURCE_LATE')).toHaveLength(1);
});

test('one that hangs keeps no other from being told', async () => {
  const hung = telling('kafka', [() => new Promise(() => undefined)]);
  const other = telling('redis', [is('1')]);
  await until(hung.seen, 'waits SOURCE_LATE');
  const told = other.seen.length;
  await eventually(() => Promise.resolve(other.seen.length > told + 3 ? true : undefined));
  expect(new Set(other.seen)).toEqual(new Set(['shows 1', 'told']));
});

test('a reading in hand does not hold up the end, and shows nothing after it', async () => {
  const late = Promise.withResolvers<string>();
  const { seen, done, readings } = telling('kafka', [() => late.promise], 60_000);
  await eventually(() => Promise.resolve(readings() === 1 ? true : undefined));
  stop.abort();
  await done;
  late.resolve('1');
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
  expect(seen).toEqual([]);
});

const late = new CodedError({ code: 'SOURCE_LATE', remedy: 'retry', message: 'x' });

test('silence is no news beside a reason', () => {
  const told: (string | undefined)[] = [];
  const waiting = new SharedWait((error) => {
    told.push(codeOf(error));
  });
  const empty = new CodedError({ code: 'CONSENT_VIEW_EMPTY', remedy: 'retry', message: 'x' });
  reportWait(waiting, 'redis', undefined);
  reportWait(waiting, 'kafka', late);
  reportWait(waiting, 'redis', empty);
  reportWait(waiting, 'kafka', away);
  reportWait(waiting, 'kafka', late);
  reportWait(waiting, 'kafka', undefined);
  reportWait(waiting, 'redis', undefined);
  expect(told).toEqual([
    'SOURCE_LATE',
    'SOURCE_LATE',
    'KAFKA_UNREACHABLE',
    'CONSENT_VIEW_EMPTY',
    undefined,
  ]);
});
