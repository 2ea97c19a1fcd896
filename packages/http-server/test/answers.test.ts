import { describe, expect, it } from 'vitest';
import { CANARY, LIMIT, Shelf } from './shelf.ts';
import type { Answer } from './shelf.ts';

function problemOf({ status, headers, text, body }: Answer): unknown[] {
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(body['status']).toBe(status);
  expect(text).not.toContain(CANARY);
  return [status, body['code'], body['title'], body['detail']];
}

describe('an answer names the service', () => {
  it('for a path that it does not have', async () => {
    const shelf = await new Shelf().start();
    expect(problemOf(await shelf.ask(`/${CANARY}`))).toEqual([
      404,
      'PATH_UNKNOWN',
      'There is nothing here',
      'Expected a path of the shelf; found another. GET / lists them.',
    ]);
  });

  it('for what it depends on', async () => {
    const shelf = await new Shelf().start();
    const answer = await shelf.ask('/falls');
    expect(problemOf(answer)).toEqual([
      503,
      'WALL_WET',
      'The shelf cannot take this now',
      'Expected the wall behind the shelf to accept this; found that it cannot now (WALL_WET). Nothing of this request was acknowledged: send it again after the time in Retry-After.',
    ]);
    expect(answer.headers.get('retry-after')).toBe('5');
  });

  it('for a defect, whose place is logged without its message', async () => {
    const shelf = new Shelf();
    shelf.before = () => {
      throw new TypeError(`${CANARY}\nat ${CANARY}`);
    };
    await shelf.start();
    expect(problemOf(await shelf.post('x'))).toEqual([
      500,
      'INTERNAL',
      'The shelf failed',
      expect.stringContaining('found a defect in the shelf.'),
    ]);
    expect(shelf.logged.join('')).toContain('answers.test.ts');
    expect(shelf.logged.join('')).not.toContain(CANARY);
  });

  it('for a page of another origin', async () => {
    const shelf = await new Shelf().start();
    const answer = await shelf.ask('/who', { headers: { origin: `https://${CANARY}.example` } });
    expect(problemOf(answer)).toEqual([
      403,
      'FOREIGN_ORIGIN',
      expect.any(String),
      expect.stringContaining('Call the shelf by a loopback name'),
    ]);
  });
});

it('names the methods of a path', async () => {
  const shelf = await new Shelf().start();
  const answer = await shelf.ask('/who', { method: 'DELETE' });
  expect(problemOf(answer).slice(0, 2)).toEqual([405, 'METHOD_NOT_ALLOWED']);
  expect(answer.headers.get('allow')).toBe('GET, HEAD');
});

it('advises, in the words of the service, on header fields and bodies over the limit', async () => {
  const shelf = await new Shelf().start();
  const raw = shelf.raw(
    `GET /who HTTP/1.1\r\nHost: localhost\r\nx: ${CANARY.repeat(4_000)}\r\n\r\n`,
  );
  await raw.closed;
  expect(raw.received).toMatch(/^HTTP\/1\.1 431 [^]*found more\. Send fewer\."/);
  expect(raw.received).not.toContain(CANARY);
  expect(problemOf(await shelf.post('x'.repeat(LIMIT + 1)))).toEqual([
    413,
    'BODY_TOO_LARGE',
    expect.any(String),
    `Expected a body of at most ${LIMIT} bytes; found a larger one. Send less.`,
  ]);
});
