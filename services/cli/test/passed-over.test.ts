import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { LogRecord } from '@residency/contracts';
import { expect, test } from 'vitest';
import { Output } from '../src/terminal/output.ts';
import { PassedOver } from '../src/system/passed-over.ts';

const record = (offset: bigint, value: Buffer | null): LogRecord => ({
  topic: 'residency.audit',
  partition: 2,
  offset,
  at: 1,
  key: null,
  headers: [],
  value,
});
const length = (value: Buffer): number => {
  if (value.length === 0) throw new TypeError('a secret');
  return value.length;
};

/** Its output on standard output and on standard error. */
async function said(passed: PassedOver): Promise<readonly [out: string, err: string]> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  passed.say({ output: new Output(out, err) });
  out.end();
  err.end();
  return [await text(out), await text(err)];
}

test('it hands on what can be read, and says nothing', async () => {
  const passed = new PassedOver();
  expect([passed.read(record(0n, Buffer.from('abc')), length), passed.any]).toEqual([3, false]);
  expect(await said(passed)).toEqual(['', '']);
});

test('it counts what can not be read, a record without a value too, and names the first one and nothing of it', async () => {
  const passed = new PassedOver();
  expect(
    [7n, 8n, 9n].map((offset) =>
      passed.read(record(offset, offset === 8n ? Buffer.from('x') : null), length),
    ),
  ).toEqual([undefined, 1, undefined]);
  expect(passed.any).toBe(true);
  const [out, err] = await said(passed);
  expect(out).toBe('');
  expect(err).toContain(
    'Passed over 2 records that no router wrote, the first at residency.audit/2/7;',
  );
  expect(err).not.toContain('secret');
});

test('one is told in the singular', async () => {
  const passed = new PassedOver();
  passed.read(record(7n, null), length);
  expect((await said(passed))[1]).toContain('Passed over 1 record that');
});
