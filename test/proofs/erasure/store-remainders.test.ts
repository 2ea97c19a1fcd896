import { expect, test } from 'vitest';
import { remaindersIn } from './store-remainders.ts';

const [ID, DIGEST] = ['a'.repeat(64), 'b'.repeat(64)];
const LEFT = '-123e4567-e89b-12d3-a456-426614174000';

test('takes what begins with the key of a sample or of a set-aside object, and nothing else', () => {
  const found = (key: string) =>
    remaindersIn([{ code: 'FOREIGN_OBJECT', site: 'zrh-1', key }]).map((one) => one.submission);
  for (const key of [`samples/aa/aa/${ID}${LEFT}`, `damaged/${ID}/${DIGEST}${LEFT}`])
    expect(found(key)).toEqual([ID]);
  for (const key of [`samples/aa/aa/${ID}`, `damaged/${ID}/note`, `damaged/${ID}${LEFT}`])
    expect(found(key)).toEqual([]);
});
