import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withScratch } from '../src/terminal/file-scratch.ts';

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

it('gives each part its lines back in their order, short and long, and leaves nothing behind', async () => {
  const before = await readdir(tmpdir());
  const line = fc
    .oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.nat(40_000).map((length) => 'x'.repeat(length)),
      fc.constant('a\u2028b\rc'),
    )
    .filter((text) => !text.includes('\n'));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), line), { maxLength: 60 }), async (written) => {
      await withScratch(async (scratch) => {
        const [one, other] = [scratch('one'), scratch('other')];
        for (const [part, text] of written) {
          await one.write(part, text);
          await other.write(part, `other ${text}`);
        }
        for (const part of [0, 1, 2, 3, 255]) {
          const own = written.filter(([at]) => at === part).map(([, text]) => text);
          expect(await linesOf(one.read(part))).toEqual(own);
          expect(await linesOf(other.read(part))).toEqual(own.map((text) => `other ${text}`));
        }
      });
    }),
    { numRuns: 30 },
  );
  expect(
    (await readdir(tmpdir())).filter(
      (name) => /^residency-[A-Za-z0-9]{6}$/.test(name) && !before.includes(name),
    ),
  ).toEqual([]);
});

it('says where there is no room', async () => {
  await withScratch(async (scratch) => {
    await expect(linesOf(scratch('x'.repeat(300)).read(0))).rejects.toMatchObject({
      code: 'SCRATCH_UNUSABLE',
      remedy: 'stop',
    });
  });
});
