import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfigFile } from '../src/cluster/config-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(
  content: string | Buffer,
): Promise<Readonly<Record<string, string | undefined>>> {
  const path = join(folder, 'residency.env');
  await writeFile(path, content);
  return (await readConfigFile({ env: {} }, path)).env;
}

test('a file of settings is read, comments and blank lines aside', async () => {
  expect(
    await read('# RESIDENCY_LOG=no\n\nRESIDENCY_LOG=log-1\nexport RESIDENCY_A="b c"\n'),
  ).toMatchObject({ RESIDENCY_LOG: 'log-1', RESIDENCY_A: 'b c' });
});

test.each([
  [
    'a name that stands twice',
    'RESIDENCY_LOG=log-1\n# between\nRESIDENCY_LOG=secret\n',
    'RESIDENCY_LOG in line 3 again; it is in line 1',
  ],
  [
    'a name that stands twice, once exported',
    'RESIDENCY_LOG=log-1\nexport RESIDENCY_LOG=secret\n',
    'in line 2 again',
  ],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('RESIDENCY_LOG=secret'), Buffer.from([0xff])]),
    'in UTF-8',
  ],
  ['a line that is none', 'RESIDENCY_LOG=secret\nnonsense\n', 'line 2'],
])('%s is refused with its place, and no value is repeated', async (_, content, said) => {
  await expect(read(content)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(said),
  });
  await expect(read(content)).rejects.toMatchObject({
    message: expect.not.stringContaining('secret'),
  });
});
