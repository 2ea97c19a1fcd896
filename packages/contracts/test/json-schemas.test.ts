import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonSchemas } from '../src/json-schemas.ts';

const FOLDER = new URL('../../../docs/formats/schemas/', import.meta.url);
const schemas = jsonSchemas();

test('the files of docs/formats/schemas are what the code makes: npm run schemas', () => {
  const there = Object.fromEntries(
    readdirSync(FOLDER).map((file) => [file, readFileSync(new URL(file, FOLDER), 'utf8')]),
  );
  expect(there).toEqual(
    Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [
        `${name}.json`,
        `${JSON.stringify(schema, undefined, 2)}\n`,
      ]),
    ),
  );
});
