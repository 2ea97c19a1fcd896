import { MAX_JSON_TOKENS } from '@residency/cloudevents';
import { configurationReference } from '@residency/configuration';
import { ATTRIBUTE_BYTES, DEFAULT_LIMITS, IDENTITY_BYTES } from '@residency/contracts';
import { BATCH_EVENTS } from '@residency/intake';
import { expect, test } from 'vitest';
import { text } from './tree.ts';

const MiB = 1024 * 1024;
const page = text('docs/formats/submission.md');
const limits = page.slice(page.indexOf('**Limits**'), page.indexOf('**HTTP**'));
const stated = [...limits.matchAll(/^\| .+? \| ([\d,]+)( MiB)? \| .+ \|$/gm)].map(
  ([, number = '', unit]) => Number(number.replaceAll(',', '')) * (unit === undefined ? 1 : MiB),
);

test('the limits of a submission are those of the code, in the order of the page', () => {
  expect(stated.slice(0, 6)).toEqual([
    DEFAULT_LIMITS.sampleBytes,
    DEFAULT_LIMITS.recordBytes,
    IDENTITY_BYTES,
    ATTRIBUTE_BYTES,
    BATCH_EVENTS,
    MAX_JSON_TOKENS,
  ]);
});

test('no setting changes one of them, and the page names none', () => {
  expect(limits).not.toMatch(/configurable/);
  expect(configurationReference()).not.toMatch(
    /SAMPLE_BYTES|RECORD_BYTES|IDENTITY|ATTRIBUTE|BATCH_EVENTS|TOKENS_MAX|MAX_BODY/,
  );
});
