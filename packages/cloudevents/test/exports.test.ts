import { expect, it } from 'vitest';
import * as exported from '../src/index.ts';

it('exports what the README promises and nothing else', () => {
  expect(Object.keys(exported).toSorted()).toEqual([
    'CLOUD_EVENT_ERROR_CODES',
    'CloudEventError',
    'decodeHttp',
    'decodeKafka',
    'encodeHttpBatch',
    'encodeHttpBinary',
    'encodeHttpStructured',
    'encodeKafkaBinary',
    'encodeKafkaStructured',
  ]);
});
