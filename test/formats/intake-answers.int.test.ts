import { request } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandalone } from '@residency/standalone';
import { createLogger, createMetrics } from '@residency/telemetry';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { text } from '../architecture/tree.ts';
import { at, document, validatorOf } from './documents.ts';

const described = document('openapi.yaml');
const validator = validatorOf('openapi.yaml');

interface Request {
  readonly method: 'GET' | 'POST' | 'HEAD';
  /** The route as in `paths` of the document. */
  readonly route: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const TOKENS = { submissions: 's'.repeat(32), consents: 'c'.repeat(32) };
const origins = new Map<'open' | 'guarded', string>();
const stops: (() => Promise<void>)[] = [];
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-answers-'));
  for (const kind of ['open', 'guarded'] as const) {
    const standalone = await startStandalone({
      data: join(folder, kind),
      checkpoints: join(folder, `${kind}-checkpoints`),
      host: '127.0.0.1',
      port: 0,
      examples: kind === 'open',
      retainMs: 7 * 86_400_000,
      logger: createLogger({ level: 'silent' }),
      metrics: createMetrics({ service: 'standalone', version: 'test', now: Date.now }),
      tokens:
        kind === 'open'
          ? []
          : [
              { token: TOKENS.submissions, scopes: ['submissions'] },
              { token: TOKENS.consents, scopes: ['consents'] },
            ],
    });
    stops.push(() => standalone.stop());
    origins.set(kind, standalone.url);
  }
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await rm(folder, { recursive: true, force: true });
});

async function send(
  origin: string,
  { method, path, headers, body = '' }: Request,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(`${origin}${path}`, { method, headers }, (response) => {
    let received = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
    });
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received });
    });
  });
  sent.on('error', reject);
  sent.end(body);
  return await promise;
}

const SEEN = new Map<string, Set<number>>();

/**
 * Compares a response with the document's entry for the route. A status that it does not list
 * fails.
 */
function judge({ method, route }: Pick<Request, 'method' | 'route'>, answer: Answer): void {
  const operation = `#/paths/${pointed(route)}/${method === 'POST' ? 'post' : 'get'}/responses/${answer.status}`;
  const listed = at(described, operation) as { readonly $ref?: string } | undefined;
  expect([method, route, answer.status, listed === undefined ? answer.body : '']).toEqual([
    method,
    route,
    answer.status,
    '',
  ]);
  const seen = SEEN.get(route) ?? new Set();
  SEEN.set(route, seen.add(answer.status));
  const pointer = listed?.$ref ?? operation;
  for (const name of Object.keys(
    (at(described, `${pointer}/headers`) as object | undefined) ?? {},
  )) {
    const header = at(described, `${pointer}/headers/${name}/$ref`) as string;
    expect([name, answer.headers[name], allowed(`${header}/schema`, answer.headers[name])]).toEqual(
      [name, answer.headers[name], null],
    );
  }
  if (method === 'HEAD') return;
  const type = String(answer.headers['content-type']).split(';', 1)[0] ?? '';
  expect(Object.keys(at(described, `${pointer}/content`) as object)).toContain(type);
  const value: unknown = type.endsWith('json') ? JSON.parse(answer.body) : answer.body;
  expect([value, allowed(`${pointer}/content/${pointed(type)}/schema`, value)]).toEqual([
    value,
    null,
  ]);
  if (type === 'application/problem+json') expect(value).toMatchObject({ status: answer.status });
}

const pointed = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');

/** `null`, or the validator's errors. */
function allowed(pointer: string, value: unknown): unknown {
  const uri = pointer.split('/').map(encodeURIComponent).join('/').replace('%23', '#');
  const validate = validator.getSchema(`openapi.yaml${uri}`);
  if (validate === undefined) return `no schema at ${pointer}`;
  return validate(value) === true ? null : validate.errors;
}

const EXAMPLES = [
  ...text('docs/formats/submission.md').matchAll(/```json example=submission\n([\s\S]*?)```/g),
  ...text('docs/formats/consent.md').matchAll(/```json example=[\w-]+\n([\s\S]*?)```/g),
].map(([, json = '']): Record<string, unknown> => JSON.parse(json));

/** An event that the document allows, or one with a faulty member. */
const events = fc
  .tuple(
    fc.constantFrom(...EXAMPLES),
    fc.uuid(),
    fc.constantFrom(
      '',
      'id',
      'source',
      'type',
      'specversion',
      'data',
      'data_base64',
      'datacontenttype',
      'time',
      'usercountry',
      'Extra',
    ),
    fc.constantFrom<unknown[]>(undefined, null, '', 7, 'x', 'x'.repeat(2_000), {}, '\u0000'),
  )
  .map(([event, id, name, value]) =>
    name === '' ? { ...event, id } : { ...event, id, [name]: value },
  );
const auth = fc.constantFrom(
  undefined,
  `Bearer ${TOKENS.submissions}`,
  `Bearer ${TOKENS.consents}`,
  `Bearer ${'x'.repeat(32)}`,
  'Basic eDp5',
);
const contentTypes = fc.constantFrom(
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'application/cloudevents+json; charset=utf-16',
  'application/cloudevents+avro',
  'application/octet-stream',
  'text/plain',
  'x',
);
const more: fc.Arbitrary<OutgoingHttpHeaders> = fc.constantFrom<OutgoingHttpHeaders[]>(
  {},
  {},
  {},
  { 'content-encoding': 'gzip' },
  { origin: 'http://elsewhere.example' },
  { host: 'elsewhere.example' },
  {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': 'urn:t',
    'ce-type': 'threat.sample.submitted.v1',
  },
  { expect: '200-maybe' },
);
const posts: fc.Arbitrary<Request> = fc
  .record({
    contentType: contentTypes,
    auth,
    more,
    events: fc.array(events, { maxLength: 3 }),
    cut: fc.option(fc.nat(200)),
  })
  .map(({ contentType, auth: authorization, more: others, events: all, cut }) => {
    const json = JSON.stringify(contentType.includes('batch') ? all : (all[0] ?? {}));
    return {
      method: 'POST',
      route: '/events',
      path: '/events',
      headers: {
        'content-type': contentType,
        ...(authorization === undefined ? {} : { authorization }),
        ...others,
      },
      body: cut === null ? json : json.slice(0, cut),
    };
  });
const ids = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{64}$/),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
  fc.constantFrom('x', '%00', '%zz', 'a%2Fb'),
);
const gets: fc.Arbitrary<Request> = fc
  .record({
    method: fc.constantFrom('GET' as const, 'HEAD' as const),
    route: fc.constantFrom(
      '/',
      '/livez',
      '/readyz',
      '/metrics',
      '/submissions/{submission}',
      '/consents/{consentId}',
      '/ledger/{partition}/checkpoint',
      '/ledger/{partition}/tile/{level}/{tile}',
      '/ledger/{partition}/keys/{key}',
    ),
    id: ids,
    ledger: fc.constantFrom('0', '1', '01'),
    auth,
    more,
  })
  .map(({ method, route, id, ledger, auth: authorization, more: others }) => ({
    method,
    route,
    path: route
      .replace('{partition}', ledger)
      .replace('{level}/{tile}', '0/000.p/1')
      .replace(/\{[^}]+\}/, id),
    headers: { ...(authorization === undefined ? {} : { authorization }), ...others },
  }));

test.each(['open', 'guarded'] as const)(
  'every answer of the %s intake is one that openapi.yaml lists',
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(posts, gets), async (asked) => {
        judge(asked, await send(origins.get(kind) ?? '', asked));
      }),
      { numRuns: 400 },
    );
    expect(SEEN.get('/events')?.size).toBeGreaterThan(3);
  },
);

test('an event that openapi.yaml allows is accepted', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(events, async (event) => {
      const asked = {
        method: 'POST',
        route: '/events',
        path: '/events',
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
      } as const;
      const answer = await send(origins.get('open') ?? '', asked);
      judge(asked, answer);
      if (allowed('#/components/schemas/Event', JSON.parse(asked.body)) !== null) return;
      expect([event, answer.status]).toEqual([event, 202]);
      taken += 1;
    }),
    { numRuns: 200 },
  );
  expect(taken).toBeGreaterThan(10);
});

/** Sends requests that node:http would refuse to send. */
async function raw(origin: string, head: string): Promise<Answer> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('close', () => {
    resolve();
  });
  socket.on('error', () => undefined);
  socket.write(`${head}\r\n\r\n`);
  await Promise.race([
    promise,
    new Promise((done) => {
      setTimeout(done, 2_000);
    }),
  ]);
  socket.destroy();
  const [top = '', body = ''] = received.split('\r\n\r\n');
  const [status = '', ...lines] = top.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 2),
    ]),
  );
  return { status: Number(status.split(' ')[1]), headers, body };
}

test.each([
  [
    'a body too large',
    413,
    `POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${30 * 2 ** 20}`,
  ],
  [
    'a foreign transfer coding',
    501,
    'POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked',
  ],
  [
    'header fields too large',
    431,
    `GET /events HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}`,
  ],
  ['no HTTP', 400, 'HELLO'],
] as const)('%s is answered %i as openapi.yaml says', async (_, status, head) => {
  const answer = await raw(origins.get('open') ?? '', head);
  expect(answer.status).toBe(status);
  judge({ method: 'POST', route: '/events' }, answer);
});

test('a ledger is served as openapi.yaml says, once it has grown', async () => {
  const ask = async (route: string, path: string): Promise<Answer> => {
    const asked = { method: 'GET', route, path, headers: {} } as const;
    const answer = await send(origins.get('open') ?? '', asked);
    judge(asked, answer);
    return answer;
  };
  const { body } = await vi.waitUntil(
    async () => {
      const answer = await ask('/ledger/{partition}/checkpoint', '/ledger/0/checkpoint');
      return answer.status === 200 ? answer : undefined;
    },
    { timeout: 300_000, interval: 500 },
  );
  // Origin, size, root. The name of a partial tile contains its width.
  const size = Number(body.split('\n')[1]);
  expect(size).toBeGreaterThan(0);
  const path = `/ledger/0/tile/0/000${size < 256 ? `.p/${size}` : ''}`;
  expect((await ask('/ledger/{partition}/tile/{level}/{tile}', path)).status).toBe(200);
});

test('the generated requests cover the expected statuses of every route', () => {
  const seen = Object.fromEntries(
    [...SEEN].map(([route, statuses]) => [route, [...statuses].toSorted((a, b) => a - b)]),
  );
  expect(seen['/events']).toEqual(
    expect.arrayContaining([202, 400, 401, 403, 413, 415, 417, 431, 501]),
  );
  expect(seen['/submissions/{submission}']).toEqual(expect.arrayContaining([400, 401, 403, 404]));
  expect(seen['/consents/{consentId}']).toEqual(expect.arrayContaining([200, 400, 401, 403]));
  expect(seen['/ledger/{partition}/checkpoint']).toEqual(expect.arrayContaining([200, 404]));
});
