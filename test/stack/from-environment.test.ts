import { expect, test } from 'vitest';
import { fromEnvironment } from './from-environment.ts';

const S3 = 'http://key:a%2Fb@127.0.0.1:9000/?region=eu-central-1';

test('servers that the environment names are used, kind by kind', () => {
  expect(fromEnvironment({})).toEqual({});
  expect(fromEnvironment({ RESIDENCY_TEST_KAFKA: 'a:1,b:2' })).toEqual({
    kafka: { brokers: ['a:1', 'b:2'] },
  });
  const { sites } = fromEnvironment({
    RESIDENCY_TEST_S3_ZRH_1: S3,
    RESIDENCY_TEST_S3_ZRH_2: `${S3}&style=host`,
    RESIDENCY_TEST_S3_MOW_1: S3,
  });
  expect(sites?.['zrh-1']).toEqual({
    endpoint: 'http://127.0.0.1:9000',
    awsRegion: 'eu-central-1',
    accessKeyId: 'key',
    secretAccessKey: 'a/b',
    pathStyle: true,
  });
  expect(sites?.['zrh-2'].pathStyle).toBe(false);
});

test('half of the sites, or a site without a secret, is refused without repeating it', () => {
  expect(() => fromEnvironment({ RESIDENCY_TEST_S3_ZRH_1: S3 })).toThrow('together');
  const without = {
    RESIDENCY_TEST_S3_ZRH_1: 'http://hidden@host',
    RESIDENCY_TEST_S3_ZRH_2: S3,
    RESIDENCY_TEST_S3_MOW_1: S3,
  };
  expect(() => fromEnvironment(without)).toThrow(/^(?!.*hidden).*RESIDENCY_TEST_S3_ZRH_1/);
});
