import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { EUROPE_EXCEPTIONS, NO_STATE, TERRITORIES } from '../../../policy/exceptions.ts';
import { generate, generatedFiles } from '../../../policy/generate.ts';
import { COUNTRIES } from '../src/countries.ts';
import { BEGINNING_OF_TIME } from '../src/instant.ts';
import { PUBLISHED, ROOT } from './published-policy.ts';

const root = fileURLToPath(ROOT);

test.each(generatedFiles())('$path is byte for byte what the generator makes', ({ path, text }) => {
  expect(readFileSync(join(root, path)).equals(Buffer.from(text, 'utf8'))).toBe(true);
});

test('the command agrees, and exits 0', () => {
  const { status, stdout } = spawnSync(process.execPath, ['policy/generate.ts', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([
    0,
    'The generated files are as the lists and the exceptions say.\n',
  ]);
});

test('--check exits 1 with a sentence naming what differs or is missing, and writes nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'residency-policy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(generate(folder, { check: true })).toMatchObject({
    exitCode: 1,
    sentence: expect.stringContaining('countries.ts and policy/residency-1.json'),
  });
  expect(generate(folder, { check: false })).toMatchObject({ exitCode: 0 });
  expect(generate(folder, { check: true })).toMatchObject({ exitCode: 0 });
  const file = join(folder, 'policy/residency-1.json');
  const tampered = readFileSync(file, 'utf8').replace('"CH",', '"ch",');
  writeFileSync(file, tampered);
  expect(generate(folder, { check: true })).toMatchObject({
    exitCode: 1,
    sentence: expect.stringContaining('found something else in policy/residency-1.json.'),
  });
  expect(readFileSync(file, 'utf8')).toBe(tampered);
});

test('the territories and the four without a state are all that ISO marks as not independent: 194 states remain', () => {
  // 193 members of the United Nations and the Holy See.
  const set = [...TERRITORIES.flatMap(({ codes }) => codes), ...NO_STATE.map(({ code }) => code)];
  expect(new Set(set).size).toBe(set.length);
  expect([...COUNTRIES.keys()].filter((code) => code !== 'XK' && !set.includes(code))).toHaveLength(
    194,
  );
  expect(set.filter((code) => !COUNTRIES.has(code))).toEqual([]);
  expect(TERRITORIES.filter(({ state }) => set.includes(state) || !COUNTRIES.has(state))).toEqual(
    [],
  );
});

test('every exception states its reason and its source', () => {
  expect(
    [...EUROPE_EXCEPTIONS, ...TERRITORIES, ...NO_STATE].filter(
      ({ reason, cite }) => reason === '' || cite === '',
    ),
  ).toEqual([]);
});

test('everything is Moscow before the first move, and every rule but the first begins with a move', () => {
  const [before, ...others] = PUBLISHED.document.rules;
  expect(before).toMatchObject({
    region: 'moscow',
    from: BEGINNING_OF_TIME,
    until: '2018-11-13T00:00:00Z',
    countries: [...COUNTRIES.keys()],
  });
  expect(new Set(others.map(({ from }) => from))).toEqual(
    new Set(['2018-11-13T00:00:00Z', '2020-11-17T00:00:00Z']),
  );
});

test('the notes say what the document does not claim', () => {
  const notes = PUBLISHED.document.notes?.join('\n');
  for (const said of [
    'named interpretation',
    'March 2022',
    'follows its state',
    'starting days',
    'AQ',
    'EH',
    'PS',
    'TW',
  ])
    expect(notes).toContain(said);
});
