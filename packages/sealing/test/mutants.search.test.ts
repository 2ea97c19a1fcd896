import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { CHECKS } from './seal-checks.ts';
import type { Sealing } from './seal-checks.ts';

const SOURCE = join(import.meta.dirname, '../src');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residency-sealing-mutants-'));
  symlinkSync(join(import.meta.dirname, '../../../node_modules'), join(folder, 'node_modules'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The sealer with the defect, from a copy of its source. */
async function sealingWith({ file, from, to }: Mutant): Promise<Sealing> {
  const copy = mkdtempSync(join(folder, 'mutant-'));
  for (const name of readdirSync(SOURCE).filter((one) => one.endsWith('.ts'))) {
    const text = readFileSync(join(SOURCE, name), 'utf8');
    if (name === file) expect(text.split(from).length, `"${from}" in ${file}`).toBe(2);
    writeFileSync(join(copy, name), name === file ? text.replace(from, () => to) : text);
  }
  return {
    ...(await import(join(copy, 'seal-message.ts'))),
    ...(await import(join(copy, 'wrapping-key.ts'))),
  } as Sealing;
}

async function failing(sealing: Sealing): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of CHECKS)
    await run(sealing).catch(() => {
      failed.push(name);
    });
  return failed;
}

it('every defect has a name of its own and a check that sees it', () => {
  expect(new Set(MUTANTS.map(({ part, name }) => `${part}: ${name}`)).size).toBe(MUTANTS.length);
  expect(MUTANTS.filter(({ caughtBy }) => caughtBy.length === 0)).toEqual([]);
});

describe.each(
  Map.groupBy(MUTANTS, ({ part }) => part)
    .entries()
    .toArray(),
)('a defect in the %s', (_part, mutants) => {
  it.each(mutants)('is seen: $name', async (mutant) => {
    const failed = await failing(await sealingWith(mutant));
    expect(failed).toEqual(expect.arrayContaining([...mutant.caughtBy]));
    expect(failed.includes('opens')).toBe(mutant.caughtBy.includes('opens'));
  });
});

it('none is seen in a copy without a defect', async () => {
  const same = {
    name: '',
    file: 'seal-message.ts',
    from: 'SPEC, client-apis/encrypt.md)',
    to: 'SPEC, client-apis/encrypt.md)',
    caughtBy: [],
  } as const;
  expect(await failing(await sealingWith(same))).toEqual([]);
});
