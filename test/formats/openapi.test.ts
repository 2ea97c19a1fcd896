import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { document, leadsNowhere, references } from './documents.ts';

const DOCUMENTS = ['openapi.yaml', 'vault.yaml'] as const;

test.each(DOCUMENTS)('%s is valid under the published schema of OpenAPI 3.1', async (name) => {
  // The validator follows no reference into another file. Those are compiled where responses are
  // validated.
  const alone: Record<string, unknown> = JSON.parse(
    JSON.stringify(document(name)).replaceAll(
      /\{"\$ref":"\.\/schemas\/[\w-]+\.json[^"]*"\}/g,
      '{}',
    ),
  );
  expect(await new Validator().validate(alone)).toEqual({ valid: true });
});

test.each(DOCUMENTS)('every reference in %s resolves', (name) => {
  const described = document(name);
  const dangling = references(described).filter((reference) => leadsNowhere(described, reference));
  expect(dangling).toEqual([]);
});
