/**
 * RFC 8785: members sorted by UTF-16 code units, no white space; numbers and strings as ECMAScript writes them
 * (§3.2.2), which is what JSON.stringify does. `undefined` members are left out. What JSON can not say throws a TypeError.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string' && !value.isWellFormed())
    throw new TypeError(
      'Expected well-formed Unicode, found a lone surrogate; RFC 8785 has no form for it.',
    );
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError('Expected a finite number; RFC 8785 has no form for NaN or infinity.');
  if (Array.isArray(value)) return `[${value.map((member) => canonicalJson(member)).join(',')}]`;
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  )
    return JSON.stringify(value);
  if (typeof value !== 'object')
    throw new TypeError(`Expected a JSON value, found ${typeof value}.`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(',')}}`;
}
