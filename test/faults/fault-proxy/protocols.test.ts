import { expect, test } from 'vitest';
import { http, kafka, redis } from './index.ts';

const crlf = (...lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n`);

test('an HTTP request is recognised once its head is complete, and its body is forwarded unparsed', () => {
  const head = crlf('PUT /bucket/key?x=1 HTTP/1.1', 'Content-Length: 5', '');
  expect(http.takeRequest(head.subarray(0, -1), 0)).toBeUndefined();
  expect(http.takeRequest(head, 0)).toEqual({
    size: head.length,
    request: {
      method: 'PUT',
      path: '/bucket/key?x=1',
      headers: new Map([['content-length', '5']]),
    },
  });
  expect(http.takeRequest(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 1)).toEqual({ size: 18 });
});

test('a 100 from an HTTP server is not the response', () => {
  expect(http.takeAnswer(crlf('HTTP/1.1 100 Continue', ''))?.answers).toBeUndefined();
  expect(http.takeAnswer(crlf('HTTP/1.1 200 OK', ''))?.answers).toBeDefined();
});

/** A request header of version 1, and a body. */
function frame(apiKey: number, correlationId: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32BE(12 + body.length, 0);
  header.writeInt16BE(apiKey, 4);
  header.writeInt16BE(1, 6);
  header.writeInt32BE(correlationId, 8);
  header.writeInt16BE(2, 12);
  header.write('me', 14);
  return Buffer.concat([header, body]);
}

test('a Kafka request is its whole frame, and shows whether a transaction commits', () => {
  const commit = frame(26, 7, Buffer.from([1]));
  const both = Buffer.concat([commit, frame(26, 8, Buffer.from([0]))]);
  for (let size = 0; size < commit.length; size += 1)
    expect(kafka.takeRequest(commit.subarray(0, size), 0)).toBeUndefined();
  const first = kafka.takeRequest(both, 0);
  expect(first).toMatchObject({
    size: commit.length,
    request: { apiKey: 26, correlationId: 7, clientId: 'me', commits: true },
  });
  expect(kafka.takeRequest(both.subarray(commit.length), 0)?.request?.commits).toBe(false);
});

test('a Kafka response belongs to the request with its correlation id', () => {
  const waiting = [7, 8]
    .map((id) => kafka.takeRequest(frame(0, id, Buffer.alloc(1)), 0)?.request)
    .filter((request) => request !== undefined);
  expect(kafka.takeAnswer(Buffer.from([0, 0, 0, 4, 0, 0, 0, 8]))?.answers?.(waiting)).toBe(1);
  expect(kafka.takeAnswer(Buffer.from([0, 0, 0, 4, 0, 0, 0, 9]))?.answers?.(waiting)).toBe(-1);
});

test('a Redis command is returned only when complete, and pipelined ones one by one', () => {
  const set = crlf('*3', '$3', 'set', '$1', 'k', '$4', 'a\r\nb');
  for (let size = 0; size < set.length; size += 1)
    expect(redis.takeRequest(set.subarray(0, size), 0)).toBeUndefined();
  expect(redis.takeRequest(Buffer.concat([set, set]), 0)).toEqual({
    size: set.length,
    request: { command: 'SET', args: ['k', 'a\r\nb'] },
  });
  expect(redis.takeRequest(crlf('PING now'), 0)?.request).toEqual({
    command: 'PING',
    args: ['now'],
  });
});

test.each([
  ['+OK'],
  ['-ERR no'],
  [':1'],
  ['$-1'],
  ['*-1'],
  ['_'],
  ['$2', 'ab'],
  ['*2', '*1', ':1', '$1', 'a'],
  ['%1', '+a', ':1'],
  ['|1', '+a', ':1', ':2'],
])('the Redis response %s %s is read completely', (...lines) => {
  const answer = crlf(...lines);
  for (let size = 0; size < answer.length; size += 1)
    expect(redis.takeAnswer(answer.subarray(0, size))).toBeUndefined();
  expect(redis.takeAnswer(Buffer.concat([answer, crlf('+next')]))?.size).toBe(answer.length);
});

test('a push message of a Redis server is not a response', () => {
  expect(redis.takeAnswer(crlf('>1', '+invalidate'))?.answers).toBeUndefined();
});
