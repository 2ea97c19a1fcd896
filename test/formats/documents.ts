import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';
import { exists, files, text } from '../architecture/tree.ts';

/** A YAML document of docs/formats. */
export function document(name: string): Record<string, unknown> {
  return parse(text(`docs/formats/${name}`));
}

/** Every `$ref` in a document, in the order of its text. */
export function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    name === '$ref' && typeof member === 'string' ? [member] : references(member),
  );
}

/** The target of a JSON pointer (`#/a/b`); `undefined`: it does not exist. */
export function at(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (inner, part) =>
        typeof inner === 'object' && inner !== null
          ? Reflect.get(inner, part.replaceAll('~1', '/').replaceAll('~0', '~'))
          : undefined,
      value,
    );
}

/** True if the target of a reference in a document of docs/formats does not exist. */
export function leadsNowhere(value: unknown, reference: string): boolean {
  const [path = '', pointer = ''] = reference.split('#');
  if (path !== '' && !exists(`docs/formats/${path}`)) return true;
  return at(path === '' ? value : JSON.parse(text(`docs/formats/${path}`)), pointer) === undefined;
}

/**
 * A validator that knows every schema of docs/formats and the document itself, so that each schema
 * in it can be selected by its pointer.
 */
export function validatorOf(name: string): Ajv2020 {
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  for (const path of files('docs/formats/schemas/*.json'))
    ajv.addSchema(JSON.parse(text(path)), path.slice('docs/formats/'.length));
  ajv.addSchema(document(name), name);
  return ajv;
}

/** Draft 7, the draft of AsyncAPI's own schema, which contains its meta-schema. */
export function draft7(): Ajv {
  const ajv = new Ajv({ strict: false, meta: false, validateSchema: false });
  formats.default(ajv);
  return ajv;
}
