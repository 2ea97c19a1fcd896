import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { document, leadsNowhere, references } from './documents.ts';

const described = document('openapi.yaml');

test('openapi.yaml is valid under the published schema of OpenAPI 3.1', async () => {
  // The validator follows no reference into another file. Those are compiled where responses are
  // validated.
  const alone: Record<string, unknown> = JSON.parse(
    JSON.stringify(described).replaceAll(/\{"\$ref":"\.\/schemas\/[\w-]+\.json[^"]*"\}/g, '{}'),
  );
  expect(await new Validator().validate(alone)).toEqual({ valid: true });
});

test('every reference in openapi.yaml resolves', () => {
  const dangling = references(described).filter((reference) => leadsNowhere(described, reference));
  expect(dangling).toEqual([]);
});
