import { decodeKafka } from '@residency/cloudevents';
import { CodedError } from '@residency/coded-error';
import { CONSENT_TICK, REDRIVE_HEADER, TOPICS, submissionId } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { BATCH_EVENTS } from '../src/index.ts';
import {
  CANARIES,
  IntakeWorld,
  batch,
  binary,
  granted,
  linked,
  structured,
  submitted,
} from './intake-world.ts';
import type { Answer } from './intake-world.ts';

const MiB = 1024 * 1024;
const SMALL = { sampleBytes: 1_000, recordBytes: 3_000, inFlightBytes: 10_000 };

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body['code'], answer.body['status']]).toEqual([
    status,
    code,
    status,
  ]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    type: expect.stringMatching(/^urn:residency:problem:[a-z-]+$/),
    title: expect.any(String),
    detail: expect.stringMatching(/^(Event \d+ of the batch: )?Expected .+\.$/),
  });
  for (const canary of CANARIES) expect(answer.text).not.toContain(canary);
}

describe('accepting', () => {
  it.for(['binary', 'structured', 'batch'] as const)(
    'accepts a submission in %s mode and returns its position and submission id',
    async (mode) => {
      const world = await new IntakeWorld().start();
      const content = {
        binary: binary(submitted()),
        structured: structured(submitted()),
        batch: batch([submitted()]),
      }[mode];
      const answer = await world.post(content);
      expect(answer.status).toBe(202);
      expect(answer.body).toEqual({
        accepted: [{ position: 'log-1/threat.samples/0/0', submission: submissionId(submitted()) }],
      });
      const record = world.appended[0]?.[0]?.record ?? { headers: [], value: null };
      // Whom it is about is not stored: the contract has no place for it.
      const { subject: _, ...stored } = submitted();
      expect(decodeKafka(record)).toEqual(stored);
    },
  );

  it('sends each type to its topic, in one append, in the order of the batch', async () => {
    const world = await new IntakeWorld().start();
    const withdrawn = {
      ...granted('withdraw-1', { consentId: 'consent-0001' }),
      type: 'consent.withdrawn.v1',
    };
    const answer = await world.post(batch([granted(), submitted(), linked(), withdrawn]));
    expect(answer.body['accepted']).toEqual([
      { position: 'log-1/threat.consents/0/0' },
      { position: 'log-1/threat.samples/0/1', submission: submissionId(submitted()) },
      { position: 'log-1/threat.subjects/0/2' },
      { position: 'log-1/threat.consents/0/3' },
    ]);
    expect(world.appended).toHaveLength(1);
    const salted = (key: string): unknown =>
      expect.stringMatching(new RegExp(`^${key}/[0-9a-f]{32}$`));
    expect(world.appended[0]?.map(({ topic, record }) => [topic, record.key?.toString()])).toEqual([
      [TOPICS.consents, salted('consent-0001/grant-1')],
      [TOPICS.samples, 'consent-0001'],
      [TOPICS.subjects, 'consent-0001'],
      [TOPICS.consents, salted('consent-0001/withdraw-1')],
    ]);
  });

  it.for([
    ['partitionkey', { partitionkey: 'p-1', consentid: 'consent-0001' }, 'p-1'],
    ['consentid', { consentid: 'consent-0001' }, 'consent-0001'],
    ['the submission id', {}, submissionId(submitted())],
  ] as const)('keys a submission by %s', async ([, extensions, key]) => {
    const world = await new IntakeWorld().start();
    await world.post(binary(submitted({ extensions })));
    expect(world.appended[0]?.[0]?.record.key?.toString()).toBe(key);
  });

  it('leaves country, consent and attributes to the router', async () => {
    const world = await new IntakeWorld().start();
    const { data: _, ...empty } = submitted({
      extensions: {
        usercountry: 'ZZ',
        verdict: 'x'.repeat(500),
        samplesha256: 'no',
        dataclassification: 'secret',
      },
    });
    expect((await world.post(binary(empty))).status).toBe(202);
  });

  it('answers only after the append is durable', async () => {
    const world = new IntakeWorld();
    const durable = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    world.beforeAppend = () => {
      begun.resolve();
      return durable.promise;
    };
    await world.start();
    let answered = false;
    const answer = world.post(binary(submitted())).finally(() => {
      answered = true;
    });
    await begun.promise;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(answered).toBe(false);
    durable.resolve();
    expect((await answer).status).toBe(202);
  });

  it('accepts an empty batch without an append', async () => {
    const world = await new IntakeWorld().start();
    const answer = await world.post(batch([]));
    expect([answer.status, answer.body, world.appended]).toEqual([202, { accepted: [] }, []]);
  });

  it('accepts a chunked sample of exactly the limit, byte for byte', async () => {
    const world = await new IntakeWorld().start();
    const data = Buffer.alloc(16 * MiB, 'abcdefg');
    const { headers } = binary(submitted());
    const body = new ReadableStream({
      start: (stream) => {
        for (let at = 0; at < data.length; at += 100_000)
          stream.enqueue(data.subarray(at, at + 100_000));
        stream.close();
      },
    });
    const response = await fetch(`${world.intake.url}/events`, {
      method: 'POST',
      headers: Object.fromEntries(headers),
      body,
      duplex: 'half',
    });
    expect(response.status).toBe(202);
    expect(world.appended[0]?.[0]?.record.value?.equals(data)).toBe(true);
  });
});

describe('refusing', () => {
  it.for([
    [
      'a body that is no CloudEvent',
      { headers: [['content-type', 'text/plain']], body: Buffer.from(CANARIES[1]) },
      400,
      'NOT_A_CLOUDEVENT',
    ],
    [
      'broken JSON',
      {
        headers: [['content-type', 'application/cloudevents+json']],
        body: Buffer.from(`{"subject":"${CANARIES[0]}`),
      },
      400,
      'NOT_A_CLOUDEVENT',
    ],
    [
      'a format it does not know',
      {
        headers: [['content-type', 'application/cloudevents+avro']],
        body: Buffer.from(CANARIES[1]),
      },
      415,
      'UNSUPPORTED_MODE',
    ],
    [
      'a content type that is none',
      { headers: [['content-type', CANARIES[0]]], body: Buffer.from(CANARIES[1]) },
      415,
      'CONTENT_TYPE_UNSUPPORTED',
    ],
    ['a type it does not know', structured(submitted({ type: CANARIES[0] })), 400, 'UNKNOWN_TYPE'],
    [
      'a type named like a property of objects',
      structured(submitted({ type: 'constructor' })),
      400,
      'UNKNOWN_TYPE',
    ],
    [
      'a tick, which has its own writer',
      binary({ ...granted(), type: CONSENT_TICK }),
      400,
      'UNKNOWN_TYPE',
    ],
    [
      'an id over 1,024 bytes',
      structured(submitted({ id: 'é'.repeat(513) })),
      400,
      'INVALID_ATTRIBUTE',
    ],
    [
      'a source over 1,024 bytes',
      structured(submitted({ source: `urn:${'s'.repeat(1_021)}` })),
      400,
      'INVALID_ATTRIBUTE',
    ],
    [
      'a consent event without its members',
      binary(granted('g', { consentId: 'consent-0001', [CANARIES[0]]: CANARIES[1] })),
      400,
      'INVALID_CONSENT_EVENT',
    ],
    [
      'a subject link without a subject',
      binary({ ...linked(), data: Buffer.from('{"consentId":"consent-0001"}') }),
      400,
      'INVALID_CONSENT_EVENT',
    ],
  ] as const)('refuses %s', async ([, content, status, code]) => {
    const world = await new IntakeWorld().start();
    expectProblem(await world.post(content), status, code);
    expect(world.appended).toEqual([]);
  });

  it('refuses a compressed body, which would become the sample', async () => {
    const world = await new IntakeWorld().start();
    const answer = await world.post(binary(submitted()), { 'content-encoding': 'gzip' });
    expectProblem(answer, 415, 'CONTENT_ENCODING_UNSUPPORTED');
    expect(world.appended).toEqual([]);
  });

  it('refuses a partial body, which would become the whole sample', async () => {
    const world = await new IntakeWorld().start();
    const answer = await world.post(binary(submitted()), { 'content-range': 'bytes 0-1/10' });
    expectProblem(answer, 400, 'CONTENT_RANGE_UNSUPPORTED');
    expect(world.appended).toEqual([]);
  });

  it.for([
    ['an unknown type', submitted({ type: 'other' }), 400, 'UNKNOWN_TYPE'],
    ['a sample too large', submitted({ data: Buffer.alloc(1_001) }), 413, 'SAMPLE_TOO_LARGE'],
    ['a consent event that is none', granted('g', {}), 400, 'INVALID_CONSENT_EVENT'],
  ] as const)('refuses a whole batch for %s and names its index', async ([, bad, status, code]) => {
    const world = await new IntakeWorld().start({ limits: SMALL });
    const answer = await world.post(batch([submitted(), granted(), bad]));
    expectProblem(answer, status, code);
    expect([answer.body['index'], world.appended]).toEqual([2, []]);
  });

  it('names the index of an event of a batch that does not decode', async () => {
    const world = await new IntakeWorld().start();
    const body = Buffer.from(
      JSON.stringify([
        JSON.parse(structured(submitted()).body.toString()),
        { specversion: '1.0', id: CANARIES[0] },
      ]),
    );
    const answer = await world.post({
      headers: [['content-type', 'application/cloudevents-batch+json']],
      body,
    });
    expectProblem(answer, 400, 'MISSING_ATTRIBUTE');
    expect([answer.body['index'], world.appended]).toEqual([1, []]);
  });

  it('refuses a batch of too many events', async () => {
    const world = await new IntakeWorld().start();
    expectProblem(
      await world.post(
        batch(
          Array.from({ length: BATCH_EVENTS + 1 }, (_, index) => submitted({ id: `s-${index}` })),
        ),
      ),
      413,
      'BATCH_TOO_LONG',
    );
    // What comes after the limit is not even read: it costs everybody else the time.
    const head = batch(
      Array.from({ length: BATCH_EVENTS }, (_, index) => submitted({ id: `s-${index}` })),
    );
    expectProblem(
      await world.post({
        ...head,
        body: Buffer.concat([
          head.body.subarray(0, -1),
          Buffer.from(`${',5'.repeat(400_000)},nonsense]`),
        ]),
      }),
      413,
      'BATCH_TOO_LONG',
    );
    expect(world.appended).toEqual([]);
  });

  it('refuses a sample one byte over the limit and accepts one of exactly the limit', async () => {
    const world = await new IntakeWorld().start({ limits: SMALL });
    expectProblem(
      await world.post(binary(submitted({ data: Buffer.alloc(1_001) }))),
      413,
      'SAMPLE_TOO_LARGE',
    );
    expect((await world.post(binary(submitted({ data: Buffer.alloc(1_000) })))).status).toBe(202);
  });

  it('refuses a record over the limit because its key repeats an attribute', async () => {
    const world = await new IntakeWorld().start({ limits: SMALL });
    expectProblem(
      await world.post(structured(submitted({ extensions: { partitionkey: 'k'.repeat(1_500) } }))),
      413,
      'RECORD_TOO_LARGE',
    );
    expect(world.appended).toEqual([]);
  });

  it('cannot be made to write a redrive header', async () => {
    const world = await new IntakeWorld().start();
    expect(
      (await world.post(binary(submitted()), { [REDRIVE_HEADER]: 'log-1/threat.samples/0/0' }))
        .status,
    ).toBe(202);
    expectProblem(
      await world.post(binary(submitted()), {
        [`ce-${REDRIVE_HEADER}`]: 'log-1/threat.samples/0/0',
      }),
      400,
      'INVALID_ATTRIBUTE_NAME',
    );
    expect(
      world.appended.flat().flatMap(({ record }) => record.headers.map(([name]) => name)),
    ).not.toContain(REDRIVE_HEADER);
  });

  it('refuses an attribute given twice instead of joining its values', async () => {
    const world = await new IntakeWorld().start();
    const raw = world.raw(
      'POST /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\nce-specversion: 1.0\r\nce-id: a\r\nce-id: b\r\nce-source: s\r\nce-type: threat.sample.submitted.v1\r\n\r\nx',
    );
    await raw.closed;
    expect(raw.received).toMatch(/^HTTP\/1\.1 400 [^]*"code":"DUPLICATE_ATTRIBUTE"/);
    expect(world.appended).toEqual([]);
  });

  it.for(['LOG_FULL', 'LOG_BUSY'] as const)(
    'answers 503 with Retry-After if the log fails with %s',
    async (code) => {
      const world = new IntakeWorld();
      world.beforeAppend = () => {
        throw new CodedError({ code, message: CANARIES[1], remedy: 'retry' });
      };
      await world.start();
      const answer = await world.post(binary(submitted()));
      expectProblem(answer, 503, code);
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(world.logged).toHaveLength(1);
    },
  );

  it('answers 500 for a defect, and logs its place without its message', async () => {
    const world = new IntakeWorld();
    world.beforeAppend = () => {
      throw new TypeError(`${CANARIES[1]}\nat ${CANARIES[0]}`);
    };
    await world.start();
    expectProblem(await world.post(binary(submitted())), 500, 'INTERNAL');
    expect(world.logged.join('')).toContain('intake-world.ts');
    for (const canary of CANARIES) expect(world.logged.join('')).not.toContain(canary);
  });
});
