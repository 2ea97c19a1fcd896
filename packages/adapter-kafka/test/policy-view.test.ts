import { TOPICS, policyEntry, policyTick } from '@residency/contracts';
import type { LogRecord, NewRecord } from '@residency/contracts';
import { eventually } from '@residency/testkit';
import { expect, it } from 'vitest';
import { KafkaLogError } from '../src/kafka-log-error.ts';
import { KafkaPolicyView } from '../src/kafka-policy-view.ts';
import { SILENT } from './some-kafka.ts';

const document = {
  id: 'p',
  version: 1,
  effectiveFrom: '2018-01-01',
  regions: [{ id: 'zurich', sites: ['zrh-1'] }],
  rules: [
    {
      id: 'r',
      region: 'zurich',
      from: '2018-01-01',
      countries: ['CH'],
      basis: 'named',
      confidence: 'stated',
      cites: ['GTI §1'],
    },
  ],
} as const;
const record = (offset: bigint, at: number, { key, headers, value }: NewRecord): LogRecord => ({
  topic: TOPICS.policy,
  partition: 0,
  offset,
  at,
  key,
  headers,
  value,
});
const tick = (offset: bigint, at: number): LogRecord => record(offset, at, policyTick('t').record);

type Answer = readonly LogRecord[] | Error;

/** A view over a log that answers as told, call after call, and then with nothing. */
function viewOf(answers: Answer[]): {
  view: KafkaPolicyView;
  asked: [bigint | undefined, string][];
  stop: AbortController;
} {
  const stop = new AbortController();
  const asked: [bigint | undefined, string][] = [];
  async function* read(
    from: bigint | undefined,
    until: 'end' | 'aborted',
  ): AsyncGenerator<readonly LogRecord[]> {
    asked.push([from, until]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    if (answer !== undefined) yield await Promise.resolve(answer);
    if (until === 'aborted' && answers.length === 0)
      await new Promise((resolve) => {
        stop.signal.addEventListener('abort', resolve);
      });
  }
  return {
    view: new KafkaPolicyView({ read, diagnostics: SILENT, signal: stop.signal }),
    asked,
    stop,
  };
}

const away = (): KafkaLogError =>
  new KafkaLogError({ code: 'KAFKA_UNREACHABLE', remedy: 'retry', message: 'x' });
const code = (error: { code: string }): string => error.code;

it('throws a retryable error until its initial read is complete', async () => {
  const { view, stop } = viewOf([[tick(0n, 5)]]);
  await expect(view.read()).rejects.toMatchObject({ code: 'VIEW_NOT_READ', remedy: 'retry' });
  expect(await eventually(() => view.read().catch(() => undefined))).toEqual({
    watermark: 5,
    versions: [],
  });
  stop.abort();
});

it('continues behind the last record after Kafka was unreachable, and keeps its reading meanwhile', async () => {
  const { view, asked, stop } = viewOf([
    away(),
    [tick(0n, 5)],
    away(),
    [record(1n, 6, policyEntry(document, 'e').record)],
    [record(2n, 6, { key: null, headers: [], value: Buffer.from('{}') }), tick(3n, 7)],
  ]);
  await expect(
    eventually(
      async () =>
        await view.read().then(
          () => undefined,
          (error: { code: string }) => (code(error) === 'KAFKA_UNREACHABLE' ? true : undefined),
        ),
    ),
  ).resolves.toBe(true);
  const { versions } = await eventually(
    async () =>
      await view.read().then(
        (reading) => (reading.watermark === 7 ? reading : undefined),
        () => undefined,
      ),
  );
  expect(versions).toMatchObject([{ document, appendedAt: 6 }]);
  expect(view.skipped()).toBe(1);
  expect(asked).toEqual([
    [undefined, 'end'],
    [undefined, 'end'],
    [1n, 'aborted'],
    [1n, 'end'],
    [2n, 'aborted'],
  ]);
  stop.abort();
});

it('readFollowed throws while Kafka is unreachable', async () => {
  const { view, stop } = viewOf([[tick(0n, 5)], away(), [tick(1n, 6)], []]);
  await eventually(
    async () =>
      await view.readFollowed().then(
        () => undefined,
        (error: { code: string }) => (code(error) === 'KAFKA_UNREACHABLE' ? true : undefined),
      ),
  );
  expect(await view.read()).toEqual({ watermark: 5, versions: [] });
  expect(await eventually(async () => await view.readFollowed().catch(() => undefined))).toEqual({
    watermark: 6,
    versions: [],
  });
  stop.abort();
});

it.each<[string, Answer[], string]>([
  [
    "append time goes back by more than brokers' clocks may disagree",
    [[tick(0n, 10_000), tick(1n, 8_999)]],
    'APPEND_TIME_WENT_BACK',
  ],
  [
    'its records are gone',
    [
      [tick(0n, 1)],
      new KafkaLogError({ code: 'OFFSET_OUT_OF_RANGE', remedy: 'stop', message: 'x' }),
    ],
    'OFFSET_OUT_OF_RANGE',
  ],
])('stops for good where %s', async (_, answers, expected) => {
  const { view, asked, stop } = viewOf(answers);
  await eventually(
    async () =>
      await view.read().then(
        () => undefined,
        (error: { code: string }) => (code(error) === expected ? true : undefined),
      ),
  );
  const calls = asked.length;
  await expect(view.read()).rejects.toMatchObject({ code: expected, remedy: 'stop' });
  expect(asked).toHaveLength(calls);
  stop.abort();
});
