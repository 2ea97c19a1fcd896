import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonSchemas } from '../src/json-schemas.ts';

// `npm run schemas`: writes docs/formats/schemas anew. A test compares what is there with the code.
const folder = join(import.meta.dirname, '../../../docs/formats/schemas');
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas()))
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(schema, undefined, 2)}\n`);
