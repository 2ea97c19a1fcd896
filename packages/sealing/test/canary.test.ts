import { describe, expect, it } from 'vitest';
import { openSealed } from '../src/index.ts';
import { CANARY, leaks, newerKey, vector, held } from './fixtures.ts';

// Every refusal in this package's tests goes through `refusal`, which asks `leaks`; here `leaks`
// itself is shown to see.
describe('the canary in these tests', () => {
  const pem = newerKey.privateKeyPem.split('\n')[5] ?? '';
  const withProperty = Object.assign(new Error('x'), { key: { pem: newerKey.privateKeyPem } });
  it.each([
    ['in a message', new Error(`found ${CANARY.toString()}`)],
    ["in a cause's cause", new Error('x', { cause: new Error('y', { cause: new Error(pem) }) })],
    ['in a property', withProperty],
    ['in a stack', Object.assign(new Error('x'), { stack: `Error: x\n at ${pem}` })],
    ['in hexadecimal', new Error(CANARY.toString('hex'))],
    ['in Base64', new Error(CANARY.toString('base64'))],
    ['in an error among several', new AggregateError([new Error(pem)])],
  ])('is seen %s', (_where, error) => {
    expect(leaks(error)).not.toEqual([]);
  });

  it('is not seen where it is not', () => {
    expect(leaks(new Error('Expected a key, found none.'))).toEqual([]);
  });
});

it("an error of opening keeps no cause, since the SDK's and OpenSSL's may repeat bytes", async () => {
  const keys = [{ id: newerKey.id, privateKeyPem: newerKey.privateKeyPem.slice(0, 1_000) }];
  await expect(openSealed(vector('text').message, 'zurich', held(keys))).rejects.toSatisfy(
    (error: Error) => error.cause === undefined,
  );
});
