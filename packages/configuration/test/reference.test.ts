import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  SECTIONS,
  configurationReference,
  explainConfiguration,
  readRegions,
} from '../src/index.ts';
import { VARIABLE_NAMES } from '../src/variables.ts';
import { REQUIRED, sourceOf } from './valid-environment.ts';

// Made anew with: node -e "import('./packages/configuration/src/index.ts').then((m) =>
// process.stdout.write(m.configurationReference()))" > docs/reference/configuration.md
it('docs/reference/configuration.md is what the code says', () => {
  expect(
    readFileSync(new URL('../../../docs/reference/configuration.md', import.meta.url), 'utf8'),
  ).toBe(configurationReference());
});

it('the reference names every variable once, and its regions file is one', () => {
  const page = configurationReference();
  for (const name of VARIABLE_NAMES) expect(page.split(`| \`${name}\` |`)).toHaveLength(2);
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  expect(readRegions(example)).toMatchObject({
    sites: [{ site: 'zrh-1' }, { site: 'mow-1', pathStyle: true }],
    mistakes: [],
  });
});

it('an explanation shows every setting, of a secret only that it is set', () => {
  const canary = 'canary0canary';
  const source = sourceOf({
    RESIDENCY_KAFKA_PASSWORD: canary,
    RESIDENCY_REDIS_URL: `redis://u:${canary}@redis`,
    RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY: canary,
    RESIDENCY_HTTP_PORT: 'no\nport',
  });
  const settings = explainConfiguration(SECTIONS, source);
  expect(JSON.stringify(settings)).not.toContain(canary);
  const of = (name: string): unknown =>
    settings
      .filter(({ variable }) => variable === name)
      .map(({ state, shown }) => `${state} ${shown}`);
  expect(settings.map(({ variable }) => variable)).toEqual(
    expect.arrayContaining([...VARIABLE_NAMES]),
  );
  expect([
    of('RESIDENCY_KAFKA_PASSWORD'),
    of('RESIDENCY_REDIS_URL'),
    of('RESIDENCY_LOG'),
    of('RESIDENCY_HTTP_PORT'),
    of('RESIDENCY_HTTP_HOST'),
    of('RESIDENCY_KAFKA_USERNAME'),
    of('RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY'),
    of('RESIDENCY_SITE_MOW_1_READER_ACCESS_KEY_ID'),
  ]).toEqual([
    ['set set'],
    ['set ***@redis'],
    [`set ${REQUIRED.RESIDENCY_LOG}`],
    ['set no?port'],
    ['default 127.0.0.1'],
    ['absent none'],
    ['set set'],
    ["absent the SDK's default provider chain"],
  ]);
});
