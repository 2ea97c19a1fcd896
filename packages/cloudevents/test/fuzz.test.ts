import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decodeHttp,
  decodeKafka,
  encodeHttpBatch,
  encodeHttpBinary,
  encodeHttpStructured,
  encodeKafkaBinary,
  encodeKafkaStructured,
} from '../src/index.ts';
import { anyEvent, failure } from './events.ts';

// Seeded, so that a failure today is the same failure tomorrow.
const runs = { numRuns: 3_000, seed: 20_181_113 };
const bytes = fc.uint8Array({ maxLength: 200 }).map((content) => Buffer.from(content));
const headerName = fc.oneof(
  fc.constantFrom(
    'content-type',
    'ce_specversion',
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_time',
    'ce_x',
    'ce-id',
    'ce-specversion',
    'ce___proto__',
  ),
  fc.string({ unit: 'binary' }),
);
const headerBytes = fc.oneof(
  bytes,
  fc
    .constantFrom(
      '1.0',
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
      'text/plain',
    )
    .map((value) => Buffer.from(value)),
);
/** One to three bytes replaced, removed or put in, anywhere. */
const damage = fc.array(
  fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('replace', 'remove', 'insert'),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}[]:,%\0'))),
  }),
  { minLength: 1, maxLength: 3 },
);

function damaged(
  content: Buffer,
  changes: readonly { at: number; kind: string; byte: number }[],
): Buffer {
  const list = [...content];
  for (const { at, kind, byte } of changes)
    list.splice(
      at % (list.length + 1),
      kind === 'insert' ? 0 : 1,
      ...(kind === 'remove' ? [] : [byte]),
    );
  return Buffer.from(list);
}

/** An event that survives being written again, or one of our errors. */
function kafkaAnswers(content: Parameters<typeof decodeKafka>[0]): 'event' | 'error' {
  let event;
  try {
    event = decodeKafka(content);
  } catch (error) {
    failure(() => {
      throw error;
    });
    return 'error';
  }
  expect(decodeKafka(encodeKafkaStructured(event))).toEqual(event);
  return 'event';
}

function httpAnswers(content: Parameters<typeof decodeHttp>[0]): 'event' | 'error' {
  try {
    const { events } = decodeHttp(content);
    expect(decodeHttp(encodeHttpBatch(events)).events).toEqual(events);
    return 'event';
  } catch (error) {
    failure(() => {
      throw error;
    });
    return 'error';
  }
}

it('answers random records with an event or a coded error', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(headerName, headerBytes), { maxLength: 8 }),
      fc.option(bytes),
      (headers, value) => {
        expect(['event', 'error']).toContain(kafkaAnswers({ headers, value }));
      },
    ),
    runs,
  );
});

it('answers random HTTP messages with events or a coded error', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          headerName,
          headerBytes.map((value) => value.toString('latin1')),
        ),
        { maxLength: 8 },
      ),
      bytes,
      (headers, body) => {
        expect(['event', 'error']).toContain(httpAnswers({ headers, body }));
      },
    ),
    runs,
  );
});

it('answers damaged records of both modes with an event or a coded error, and meets both', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(anyEvent, fc.boolean(), fc.nat(), damage, (event, binary, which, changes) => {
      const { headers, value } = binary ? encodeKafkaBinary(event) : encodeKafkaStructured(event);
      const hit = binary ? which % headers.length : -1;
      met.add(
        kafkaAnswers({
          headers: headers.map(([name, content], index) => [
            name,
            index === hit ? damaged(content, changes) : content,
          ]),
          value: value && damaged(value, changes),
        }),
      );
    }),
    runs,
  );
  expect([...met].toSorted()).toEqual(['error', 'event']);
});

it('answers damaged HTTP messages of all modes with events or a coded error, and meets both', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(
      anyEvent,
      fc.constantFrom('binary', 'structured', 'batch'),
      fc.nat(),
      damage,
      (event, mode, which, changes) => {
        const { headers, body } =
          mode === 'binary'
            ? encodeHttpBinary(event)
            : mode === 'batch'
              ? encodeHttpBatch([event, event])
              : encodeHttpStructured(event);
        const hit = mode === 'binary' ? which % headers.length : -1;
        met.add(
          httpAnswers({
            headers: headers.map(([name, value], index) => [
              name,
              index === hit
                ? damaged(Buffer.from(value, 'latin1'), changes).toString('latin1')
                : value,
            ]),
            body: damaged(body, changes),
          }),
        );
      },
    ),
    runs,
  );
  expect([...met].toSorted()).toEqual(['error', 'event']);
});
