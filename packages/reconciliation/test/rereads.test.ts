import { expect, test } from 'vitest';
import { Rereads } from '../src/rereads.ts';

/** A log of names; `known` is what was read. */
class Names {
  readonly log = new Set<string>();
  known: ReadonlySet<string> = new Set();
  reads = 0;
  readonly rereads = new Rereads(async () => {
    this.reads += 1;
    this.known = new Set(this.log);
  });

  async learn(name: string): Promise<boolean> {
    await this.rereads.learn(name, () => this.known.has(name));
    return this.known.has(name);
  }
}

test('the log is read once for each name that it does not have, and not for one that was read', async () => {
  const names = new Names();
  names.log.add('one');
  expect(await names.learn('one')).toBe(true);
  expect(await names.learn('one')).toBe(true);
  expect(names.reads).toBe(1);
  expect(await Promise.all(['two', 'two', 'three'].map((name) => names.learn(name)))).toEqual([
    false,
    false,
    false,
  ]);
  expect(await names.learn('two')).toBe(false);
  expect(names.reads).toBe(3);
});

test('a thousand names that nothing explains are read for, and no more; names that were found do not count', async () => {
  const names = new Names();
  for (let at = 0; at < 1_500; at += 1) {
    names.log.add(`known-${at}`);
    expect(await names.learn(`known-${at}`)).toBe(true);
  }
  const before = names.reads;
  for (let at = 0; at < 1_500; at += 1) await names.learn(`unknown-${at}`);
  expect(names.reads - before).toBe(1_000);
});

test('an older reading never replaces a newer one, and a failed one is not in the way of the next', async () => {
  const found: number[] = [];
  let reads = 0;
  const rereads = new Rereads(async () => {
    const at = (reads += 1);
    await new Promise((resolve) => {
      setTimeout(resolve, 10 - at);
    });
    if (at === 1) throw new Error('away');
    found.push(at);
  });
  const results = await Promise.allSettled([rereads.read(), rereads.read(), rereads.read()]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(found).toEqual([2, 3]);
});
