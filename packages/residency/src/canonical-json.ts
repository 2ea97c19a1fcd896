/**
 * RFC 8785: members sorted by UTF-16 code units, no white space. Numbers and strings are written as
 * in ECMAScript (§3.2.2), as by JSON.stringify. `undefined` members are left out. A value that JSON
 * cannot hold throws a TypeError.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return number(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === null) return 'null';
  if (Array.isArray(value)) return array(value, canonicalJson);
  if (typeof value === 'object') return object(value);
  throw new TypeError(`Expected a JSON value, found ${typeof value}.`);
}

/** The members that an object may have: a value of any kind, an object, or a list of objects. */
export interface Shape {
  readonly [name: string]: true | Shape | readonly [Shape];
}

/**
 * `canonicalJson` for objects of one shape, at a third of the cost: their members are sorted once.
 * Members that the shape does not name are left out.
 */
export function canonicalWriter(shape: Shape): (value: object) => string {
  const members = Object.entries(shape)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, kind]) => ({ name, prefix: `${text(name)}:`, write: writerOf(kind) }));
  return (value) => {
    let json = '';
    for (const { name, prefix, write } of members) {
      const member: unknown = Reflect.get(value, name);
      if (member === undefined) continue;
      json += (json === '' ? prefix : `,${prefix}`) + write(member);
    }
    return `{${json}}`;
  };
}

function writerOf(kind: Shape[string]): (value: unknown) => string {
  if (kind === true) return canonicalJson;
  const write = canonicalWriter(isList(kind) ? kind[0] : kind);
  const one = (value: unknown): string =>
    typeof value === 'object' && value !== null ? write(value) : canonicalJson(value);
  return isList(kind)
    ? (value) => (Array.isArray(value) ? array(value, one) : canonicalJson(value))
    : one;
}

function isList(kind: Shape | readonly [Shape]): kind is readonly [Shape] {
  return Array.isArray(kind);
}

// Concatenation takes half the time of `map` and `join`.

function array(members: readonly unknown[], write: (member: unknown) => string): string {
  let json = '';
  for (const member of members) json += (json === '' ? '' : ',') + write(member);
  return `[${json}]`;
}

function object(value: object): string {
  let json = '';
  // Sorted by UTF-16 code units: the default order of strings (ECMA-262 §23.1.3.30.2).
  for (const name of Object.keys(value).toSorted()) {
    const member: unknown = Reflect.get(value, name);
    if (member === undefined) continue;
    json += `${json === '' ? '' : ','}${text(name)}:${canonicalJson(member)}`;
  }
  return `{${json}}`;
}

function text(value: string): string {
  if (value.isWellFormed()) return JSON.stringify(value);
  throw new TypeError(
    'Expected well-formed Unicode, found a lone surrogate; RFC 8785 has no form for it.',
  );
}

function number(value: number): string {
  if (Number.isFinite(value)) return JSON.stringify(value);
  throw new TypeError('Expected a finite number; RFC 8785 has no form for NaN or infinity.');
}
