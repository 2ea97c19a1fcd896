import { TOPICS } from '@residency/contracts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DiagnosticFields } from '../src/diagnostics.ts';
import { someKafka, text } from './some-kafka.ts';

const warnings: Error[] = [];
const onWarning = (warning: Error): void => {
  warnings.push(warning);
};
beforeEach(() => {
  process.on('warning', onWarning);
});
afterEach(() => {
  process.off('warning', onWarning);
});

it('appends, reads and follows without a process warning, and logs nothing above debug and no record', async () => {
  const lines: { level: string; message: string; fields: DiagnosticFields | undefined }[] = [];
  const write =
    (level: string) =>
    (message: string, fields?: DiagnosticFields): void => {
      lines.push({ level, message, fields });
    };
  const some = await someKafka({
    diagnostics: {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    },
  });
  const stop = new AbortController();
  const following = Array.fromAsync(
    some.log.read(TOPICS.samples, { until: 'aborted', signal: stop.signal }),
  );
  const view = some.log.policyView();
  for (let index = 0; index < 20; index += 1) {
    await some.log.append([{ topic: TOPICS.samples, record: text('CANARY', `CANARY-${index}`) }]);
    await some.log.tick(index);
  }
  expect(await Array.fromAsync(some.log.read(TOPICS.samples, { until: 'end' }))).toHaveLength(20);
  await some.log.lag();
  expect((await view.read()).versions).toEqual([]);
  stop.abort();
  await following;
  await some.close();
  // Warnings are emitted on the next tick.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(warnings).toEqual([]);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  expect(JSON.stringify(lines)).not.toContain('CANARY');
});
