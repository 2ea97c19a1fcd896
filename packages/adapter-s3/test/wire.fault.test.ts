import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3Bucket } from '../src/s3-client.ts';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';
import { SOME_SETTINGS } from './fake-bucket.ts';
import { CREATED, EXISTS, MISSING, WireStore } from './wire-store.ts';
import type { Script } from './wire-store.ts';

// Faults below HTTP, and what HTTP/1.1 allows but stores rarely do. Each write ends with its object
// whole and one of a kind.

let wire: WireStore;
let settings: S3SiteSettings;
let failed: number;
let bucket: S3Bucket;
let store: S3ObjectStore;
beforeEach(async () => {
  wire = new WireStore();
  failed = 0;
  settings = {
    ...SOME_SETTINGS,
    bucket: 'bucket',
    endpoint: await wire.listen(),
    credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
    timeouts: { connectMs: 1_000, requestMs: 1_000 },
  };
  bucket = new S3Bucket(settings, {
    failed: () => {
      failed += 1;
    },
  });
  store = new S3ObjectStore(settings, bucket);
});
afterEach(() => {
  store.close();
  wire.close();
});

const object = exampleObject('one');
const TARGET = `/bucket/${object.key}`;
const create = () => store.create(object.key, object.sealed, object.metadata);
const OWN = { created: false, existing: { metadata: object.metadata, bytes: 700 } };
const isWhole = () => wire.objects.get(TARGET)?.body.equals(object.sealed);
/** Does it, and answers with other bytes. */
const answering =
  (change: (answer: string) => string): Script =>
  (request, _socket, body) =>
    body === undefined ? undefined : change(wire.answerTo(request, body));
/** The look before the write is answered as it is. */
const onPut = (...scripts: Script[]): void => {
  wire.next.push(
    answering((answer) => answer),
    ...scripts,
  );
};

test('a connection that the store closed between two requests is not used again, and nothing fails', async () => {
  await create();
  for (const socket of wire.sockets) socket.end();
  await expect.poll(() => wire.sockets.size).toBe(0);
  const before = wire.connections;
  expect(await create()).toEqual(OWN);
  expect([failed, wire.connections - before]).toEqual([0, 1]);
});

test('a connection that the store closes just as it is used again costs an attempt, and creates once', async () => {
  await bucket.head('a');
  // The request is on its way when the store resets the connection, unread.
  wire.next.push((_request, socket) => {
    socket.resetAndDestroy();
    return undefined;
  });
  const one = { key: object.key, bytes: object.sealed, sha256: 'f'.repeat(64), metadata: {} };
  expect(await bucket.putIfAbsent(one)).toEqual({ put: 'created' });
  expect([failed, isWhole()]).toEqual([1, true]);
});

describe('a connection that breaks within the answer, after the store did its work', () => {
  const regions = ['nothing', 'the status line', 'a header', 'all but the last byte'] as const;
  const lengthOf = {
    nothing: 0,
    'the status line': 9,
    'a header': 22,
    'all but the last byte': CREATED.length - 1,
  };
  test.each(
    regions.flatMap(
      (region) =>
        [
          [region, 'ended'],
          [region, 'reset'],
        ] as const,
    ),
  )('(%s of it was sent, %s): the object is found as our own', async (region, how) => {
    onPut((request, socket, body) => {
      if (body === undefined) return undefined;
      socket.write(wire.answerTo(request, body).slice(0, lengthOf[region]), () => {
        if (how === 'ended') socket.end();
        else socket.resetAndDestroy();
      });
      return '';
    });
    expect(await create()).toEqual(OWN);
    expect([failed, isWhole()]).toEqual([1, true]);
  });

  test('so is that of a HEAD: it is asked again', async () => {
    await create();
    for (let bytes = 0; bytes < 60; bytes += 20)
      wire.next.push((request, socket, body) => {
        if (body === undefined) return undefined;
        socket.end(wire.answerTo(request, body).slice(0, bytes));
        return '';
      });
    // One more than the attempts of a call.
    await expect(bucket.head(object.key)).rejects.toMatchObject({ code: 'SITE_UNREACHABLE' });
    expect(await bucket.head(object.key)).toMatchObject({ bytes: 700 });
  });
});

test.each([0, 10, 300, 800, 1_000])(
  'a connection that breaks when %i bytes of the request were read creates on another one',
  async (bytes) => {
    let isFirst = true;
    wire.always = (request, socket, body) => {
      if (request.method === 'HEAD' || !isFirst) return body && wire.answerTo(request, body);
      isFirst = false;
      // The rest is never read: what is sent on after it meets a reset.
      if (bytes < request.head.length) socket.resetAndDestroy();
      else socket.once('data', () => socket.resetAndDestroy());
      return '';
    };
    const result = await create();
    if (isFirst || result.created) expect(result).toEqual({ created: true });
    expect(isWhole()).toBe(true);
  },
);

describe('an answer before the body was read', () => {
  const BIG = exampleObject('big', 0, 1_024 * 1_024);
  const createBig = () => store.create(BIG.key, BIG.sealed, BIG.metadata);
  test.each([true, false])(
    'of a store that is busy (closes: %s) is repeated, and creates',
    async (closes) => {
      onPut((_request, socket) => {
        const busy = `HTTP/1.1 503 Slow Down\r\n${closes ? 'Connection: close\r\n' : ''}Content-Length: 0\r\n\r\n`;
        if (!closes) return busy;
        socket.end(busy);
        return '';
      });
      expect(await createBig()).toEqual({ created: true });
      expect(wire.objects.get(`/bucket/${BIG.key}`)?.body.equals(BIG.sealed)).toBe(true);
    },
  );

  test('that the key exists is believed, and the next request is not mixed up with the rest of the body', async () => {
    await createBig();
    wire.next.push(
      () => MISSING,
      () => EXISTS,
    );
    expect(await createBig()).toMatchObject({
      created: false,
      existing: { bytes: BIG.sealed.length },
    });
    expect(await create()).toEqual({ created: true });
  });
});

describe('interim answers that nobody asked for', () => {
  test.each(['HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', 'HTTP/1.1 102 Processing\r\n\r\n'])(
    'are passed over (%j)',
    async (interim) => {
      onPut(answering((answer) => interim + answer));
      expect(await create()).toEqual({ created: true });
      expect(failed).toBe(0);
    },
  );

  test('100 Continue, which undici takes for a broken answer, leaves the work to the SDK', async () => {
    wire.always = answering((answer) => `HTTP/1.1 100 Continue\r\n\r\n${answer}`);
    expect(await create()).toEqual({ created: true });
    expect(await create()).toEqual(OWN);
    expect(isWhole()).toBe(true);
    // The first request alone was sent twice.
    expect([failed, wire.seen.map(({ method }) => method)]).toEqual([
      1,
      ['HEAD', 'HEAD', 'PUT', 'HEAD'],
    ]);
  });

  test('100 Continue before the answer to a PUT: what it created is our own', async () => {
    onPut(answering((answer) => `HTTP/1.1 100 Continue\r\n\r\n${answer}`));
    expect(await create()).toEqual(OWN);
    expect([failed, isWhole()]).toEqual([1, true]);
  });
});

describe('an answer', () => {
  test('in chunks is read', async () => {
    onPut(
      answering(
        () => 'HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    );
    expect(await create()).toEqual({ created: true });
    expect(failed).toBe(0);
  });

  test('in chunks with something in them creates nothing that is believed: it is looked for', async () => {
    const text =
      'HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<Err/\r\n0\r\n\r\n';
    onPut((_request, _socket, body) => body && text);
    expect(await create()).toEqual({ created: true });
    expect([failed, isWhole()]).toEqual([1, true]);
    wire.objects.clear();
    onPut(answering(() => text));
    expect(await create()).toEqual(OWN);
  });

  test('with an error in chunks is judged by its code', async () => {
    const text = '<Error><Code>NoSuchBucket</Code></Error>';
    wire.always = answering(
      () =>
        `HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
    );
    await expect(
      bucket.putIfAbsent({ key: 'a', bytes: Buffer.from('b'), sha256: 'c', metadata: {} }),
    ).rejects.toMatchObject({
      code: 'SITE_MISSING',
      message: expect.stringContaining('404 NoSuchBucket'),
    });
  });

  test('with an endless error is judged by its status, and left', async () => {
    wire.always = (_request, socket, body) => {
      if (body === undefined) return undefined;
      socket.write('HTTP/1.1 403 Forbidden\r\n\r\n');
      const timer = setInterval(() => socket.write('x'.repeat(16_384)), 1);
      socket.on('close', () => clearInterval(timer));
      return '';
    };
    await expect(
      bucket.putIfAbsent({ key: 'a', bytes: Buffer.from('b'), sha256: 'c', metadata: {} }),
    ).rejects.toMatchObject({ code: 'SITE_REFUSED' });
    await expect.poll(() => wire.sockets.size).toBe(0);
  });

  test('with long headers is read up to the limit of HTTP in Node, and beyond it is a failure to retry', async () => {
    const padding = (bytes: number) =>
      answering((answer) => answer.replace('\r\n', `\r\nX-Pad: ${'x'.repeat(bytes)}\r\n`));
    wire.next.push(padding(12_000), padding(12_000));
    expect(await create()).toEqual({ created: true });
    wire.always = padding(20_000);
    await expect(create()).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'retry' });
    wire.always = undefined;
    expect(await create()).toEqual(OWN);
  });

  test('to a HEAD that has a body does not answer the next request', async () => {
    await create();
    wire.next.push(
      answering(
        (answer) => `${answer}HTTP/1.1 200 OK\r\nETag: "evil"\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
    expect(await bucket.head(object.key)).toMatchObject({ bytes: 700 });
    expect(await bucket.head('none')).toBeUndefined();
  });

  test('that closes is the last on its connection', async () => {
    wire.always = (request, socket, body) => {
      if (body === undefined) return undefined;
      socket.end(wire.answerTo(request, body).replace('\r\n', '\r\nConnection: close\r\n'));
      return '';
    };
    expect(await create()).toEqual({ created: true });
    expect(await create()).toEqual(OWN);
    expect([failed, wire.connections]).toEqual([0, 3]);
  });

  test('that is no HTTP is a failure to retry', async () => {
    wire.always = (_request, _socket, body) => body && 'SSH-2.0-OpenSSH_9.9\r\n';
    await expect(create()).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'retry' });
  });

  test('whose headers trickle ends with the time-out of an attempt, or with the deadline of the call', async () => {
    wire.always = (_request, socket, body) => {
      if (body === undefined) return undefined;
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write('x: y\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
      return '';
    };
    await expect(bucket.head('a')).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      remedy: 'retry',
    });
    await expect.poll(() => wire.sockets.size).toBe(0);
  });
});

test('a header of metadata that came twice is one list, as the SDK has it', async () => {
  wire.always = answering(
    () =>
      'HTTP/1.1 200 OK\r\nETag: "1"\r\nX-Amz-Meta-A: 1\r\nx-amz-meta-a: 2\r\nContent-Length: 3\r\n\r\n',
  );
  expect(await bucket.head('a')).toEqual({ metadata: { a: '1, 2' }, bytes: 3 });
});

test('PUT and HEAD together with what the SDK does keep at most as many connections as allowed', async () => {
  const narrow = new S3Bucket({ ...settings, maxSockets: 2 });
  let most = 0;
  wire.always = (request, _socket, body) => {
    most = Math.max(
      most,
      [...wire.sockets].filter((socket) => socket.readyState === 'open').length,
    );
    if (body === undefined) return undefined;
    return request.method === 'GET'
      ? 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n'
      : wire.answerTo(request, body);
  };
  for (let round = 0; round < 20; round += 1)
    await Promise.all([
      narrow.head('a'),
      narrow.get('b', 1),
      narrow.head('c'),
      ...(round % 2 === 0 ? [narrow.get('d', 1)] : []),
    ]);
  narrow.close();
  // One that was given up here may not have ended there yet.
  expect(most).toBeLessThanOrEqual(3);
  await expect.poll(() => wire.sockets.size).toBe(0);
});

test('closing ends a request that waits for its connection, and one that waits for its answer', async () => {
  wire.always = () => undefined;
  wire.next.push(() => '');
  const outcome = bucket.head('a').catch((caught: unknown) => caught);
  await expect.poll(() => wire.seen.length).toBe(1);
  bucket.close();
  expect(await outcome).toMatchObject({ code: 'SITE_UNREACHABLE' });
  await expect.poll(() => wire.sockets.size).toBe(0);
});
