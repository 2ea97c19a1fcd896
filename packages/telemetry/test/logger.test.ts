import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { CodedError } from '@residency/coded-error';
import { anything, assert, dictionary, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger } from '../src/logger.ts';

const CANARY = 'canary-7f3a subject@example.org';
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

function recorded(level: Parameters<typeof createLogger>[0]['level'] = 'debug') {
  const lines: string[] = [];
  return {
    lines,
    logger: createLogger({
      level,
      destination: {
        write: (line) => {
          lines.push(line);
        },
      },
    }),
  };
}

test('writes one JSON object a line with level, RFC 3339 time, message and fields', () => {
  const { lines, logger } = recorded();
  logger.warn('Routing waits', {
    code: 'SITE_FULL',
    site: 'zrh-1',
    region: 'zurich',
    position: 'log-1/threat.samples/0/42',
    submission: 'a'.repeat(64),
    records: 3,
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.endsWith('\n')).toBe(true);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    msg: 'Routing waits',
    code: 'SITE_FULL',
    site: 'zrh-1',
    region: 'zurich',
    position: 'log-1/threat.samples/0/42',
    submission: 'a'.repeat(64),
    records: 3,
  });
});

test('writes nothing below its level, and nothing at all when silent', () => {
  const warn = recorded('warn');
  const silent = recorded('silent');
  for (const { logger } of [warn, silent]) for (const level of LEVELS) logger[level]('said');
  expect(warn.lines.map((line): unknown => JSON.parse(line))).toEqual(
    ['warn', 'error'].map((level) => expect.objectContaining({ level })),
  );
  expect(silent.lines).toEqual([]);
});

test('writes from another level on when told, and from its own again', () => {
  const { lines, logger } = recorded('warn');
  for (const level of ['debug', undefined] as const) {
    logger.setLevel(level);
    logger.debug(`said at ${level}`);
  }
  expect(lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)).toEqual([
    'said at debug',
  ]);
});

test('writes a coded error whole and its foreign causes without their messages', () => {
  const { lines, logger } = recorded();
  const foreign = Object.assign(new TypeError(CANARY), { code: 'ENOSPC', path: CANARY });
  logger.error('Could not store', {
    error: new CodedError({
      code: 'SITE_FULL',
      message: 'Expected room.',
      remedy: 'retry',
      cause: foreign,
    }),
  });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    error: {
      name: 'CodedError',
      code: 'SITE_FULL',
      remedy: 'retry',
      message: 'Expected room.',
      cause: { name: 'TypeError', code: 'ENOSPC' },
    },
  });
  expect(lines.join('')).not.toContain('canary');
});

function foreignErrors(): unknown[] {
  const named = new Error(CANARY);
  named.name = CANARY;
  const circular = new Error(CANARY);
  circular.cause = circular;
  return [
    new Error(CANARY),
    named,
    circular,
    Object.assign(new Error(CANARY), { code: CANARY, remedy: 'retry' }),
    Object.assign(new Error(CANARY), { code: 'X', remedy: CANARY }),
    new Error('outer', { cause: CANARY }),
    new AggregateError([new Error(CANARY)], CANARY),
    CANARY,
    { message: CANARY, code: CANARY },
    [CANARY],
    null,
    undefined,
    Symbol(CANARY),
    1n,
  ];
}

test("writes no foreign error's text, whatever was thrown, at every level", () => {
  const { lines, logger } = recorded();
  for (const level of LEVELS)
    for (const error of foreignErrors()) logger[level]('Failed', { error });
  expect(lines).toHaveLength(LEVELS.length * foreignErrors().length);
  expect(lines.join('')).not.toContain('canary');
});

test.each([
  'authorization',
  'token',
  'subject',
  'privateKey',
  'data',
  'value',
  'file',
  'err',
  'msg',
  'toJSON',
  '__proto__',
  'code',
  'reason',
  'outcome',
  'region',
  'site',
  'policy',
  'wrappingKey',
  'position',
  'submission',
  'signal',
  'method',
  'route',
  'at',
  'status',
  'port',
  'partition',
  'records',
  'bytes',
  'milliseconds',
])('leaves a canary out of the field %s', (field) => {
  const { lines, logger } = recorded();
  for (const value of [
    CANARY,
    { nested: CANARY },
    [CANARY],
    Buffer.from(CANARY),
    new Error(CANARY),
  ]) {
    for (const level of LEVELS) logger[level]('said', Object.fromEntries([[field, value]]));
  }
  expect(lines).toHaveLength(20);
  expect(lines.join('')).not.toContain('canary');
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ msg: 'said' });
});

test('never throws, and writes exactly one line, whatever the fields are', () => {
  assert(
    property(dictionary(string(), anything()), anything(), (fields, error) => {
      const { lines, logger } = recorded();
      logger.info('said', { ...fields, error });
      expect(lines).toHaveLength(1);
      expect(lines[0]?.trimEnd()).not.toContain('\n');
    }),
  );
});

test('writes the pattern of a route and the places of a stack, and no line that merely looks like one', () => {
  const { lines, logger } = recorded();
  const at = (new Error('x').stack ?? '')
    .split('\n')
    .slice(1, 3)
    .map((line) => line.trim());
  logger.error('said', {
    route: '/submissions/:submission',
    at: [
      'at serve (file:///app/src/server.ts:65:10)',
      'at node:internal/process/task_queues:103:5',
    ],
  });
  logger.error('said', { route: `/submissions/${'a1'.repeat(32)}`, at: ['at canary subject:1:1'] });
  logger.error('said', { at });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    route: '/submissions/:submission',
    at: [expect.any(String), expect.any(String)],
  });
  expect(JSON.parse(lines[1] ?? '')).toEqual({
    level: 'error',
    time: expect.any(String),
    msg: 'said',
  });
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ at });
});

test('goes on, and does not fill memory, where standard error is a disk without room', () => {
  const source = JSON.stringify(new URL('../src/logger.ts', import.meta.url).href);
  const script = `const { createLogger } = await import(${source}); const logger = createLogger({ level: 'info' });
    for (let line = 0; line < 40_000; line += 1) logger.info('Routing waits', { code: 'SITE_FULL' });
    await new Promise((resolve) => setTimeout(resolve, 20)); console.log('alive', process.memoryUsage().rss < 400e6);`;
  const full = openSync('/dev/full', 'w');
  try {
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', full],
      encoding: 'utf8',
    });
    expect([ended.status, ended.stdout]).toEqual([0, 'alive true\n']);
  } finally {
    closeSync(full);
  }
});
