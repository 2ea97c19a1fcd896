import { CloudEventError } from './cloud-event-error.ts';

/**
 * RFC 8259 §9 lets a reader limit nesting. No event needs more, and the limit bounds the cost of a
 * hostile one.
 */
export const MAX_JSON_DEPTH = 512;

// A reader of JSON *source*. `JSON.parse` rounds numbers to doubles, takes the last of two equal
// names, and builds every value of a hostile 24 MiB body on the heap. This one checks RFC 8259's
// grammar without recursion and returns slices of the text.

/** The string of this source, which `membersOf` has checked. */
export function stringOf(source: string): string {
  return String(JSON.parse(source));
}

/**
 * An object's members, at most `limit`: name to the source of the value. Throws `NOT_A_CLOUDEVENT`,
 * `DUPLICATE_ATTRIBUTE`.
 */
export function membersOf(text: string, limit: number): Map<string, string> {
  const members = new Map<string, string>();
  let at = expect(text, space(text, 0), '{');
  for (let more = text[at] !== '}'; more;) {
    const value = nameEnd(text, at);
    const name = stringOf(text.slice(at, stringEnd(text, at)));
    // Two readers may choose different ones of the two, so neither is accepted.
    if (members.has(name))
      throw new CloudEventError(
        'DUPLICATE_ATTRIBUTE',
        'Expected each member of the JSON event once; found one again',
      );
    if (members.size === limit) throw malformed(`more than ${limit} members`);
    const end = valueEnd(text, value);
    members.set(name, text.slice(value, end));
    at = space(text, end);
    more = text[at] === ',';
    if (more) at = space(text, at + 1);
  }
  finish(text, at, '}');
  return members;
}

/**
 * The sources of an array's elements, one by one, so that nothing is read after the first bad one.
 * Throws `NOT_A_CLOUDEVENT`.
 */
export function* elementsOf(text: string): Generator<string> {
  let at = expect(text, space(text, 0), '[');
  for (let more = text[at] !== ']'; more;) {
    const end = valueEnd(text, at);
    yield text.slice(at, end);
    at = space(text, end);
    more = text[at] === ',';
    if (more) at = space(text, at + 1);
  }
  finish(text, at, ']');
}

/** The end of the value that starts at `at`. */
function valueEnd(text: string, start: number): number {
  const closers: string[] = [];
  for (let at = start; ;) {
    const opener = text[at];
    if (opener === '{' || opener === '[') {
      if (closers.push(opener === '{' ? '}' : ']') > MAX_JSON_DEPTH)
        throw malformed(`nesting beyond ${MAX_JSON_DEPTH} levels`);
      at = space(text, at + 1);
      if (text[at] !== closers.at(-1)) {
        if (opener === '{') at = nameEnd(text, at);
        continue;
      }
    } else at = opener === '"' ? stringEnd(text, at) : literalEnd(text, at);
    if (closers.length > 0) at = space(text, at);
    while (closers.length > 0 && text[at] === closers.at(-1)) {
      closers.pop();
      at = closers.length > 0 ? space(text, at + 1) : at + 1;
    }
    if (closers.length === 0) return at;
    at = space(text, expect(text, at, ','));
    if (closers.at(-1) === '}') at = nameEnd(text, at);
  }
}

/** After a member's name and colon: the start of its value. */
function nameEnd(text: string, at: number): number {
  if (text[at] !== '"') throw malformed('something else than a member name');
  return expect(text, space(text, stringEnd(text, at)), ':');
}

function stringEnd(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let escapes = quote;
    while (text[escapes - 1] === '\\') escapes -= 1;
    if ((quote - escapes) % 2 === 1) continue;
    try {
      JSON.parse(text.slice(at, quote + 1));
    } catch {
      break; // The parser's message quotes its input: not passed on.
    }
    return quote + 1;
  }
  throw malformed('a broken string');
}

const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

function literalEnd(text: string, at: number): number {
  LITERAL.lastIndex = at;
  if (!LITERAL.test(text)) throw malformed('something else than a value');
  return LITERAL.lastIndex;
}

function space(text: string, from: number): number {
  for (let at = from; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
  }
}

function expect(text: string, at: number, character: string): number {
  if (text[at] !== character) throw malformed(`something else where ${character} belongs`);
  return space(text, at + 1);
}

function finish(text: string, at: number, closer: string): void {
  if (expect(text, at, closer) !== text.length) throw malformed('more after its end');
}

function malformed(found: string): CloudEventError {
  return new CloudEventError(
    'NOT_A_CLOUDEVENT',
    `Expected JSON in the CloudEvents JSON format; found ${found}`,
  );
}
