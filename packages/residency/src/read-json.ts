import { CodedError } from '@residency/coded-error';

/**
 * The greatest nesting depth. No document of this system has more than ten levels, and recursive
 * code must not overflow the stack.
 */
export const JSON_DEPTH = 512;
/** A double's shortest decimal has at most 25 characters. */
const NUMBER_LENGTH = 32;

/**
 * The author of the text controls it. `problem` repeats nothing of the text, because settings and
 * tokens are read here too.
 */
export class JsonError extends CodedError<'INVALID_JSON'> {
  /** The problem, with its line if the line is known. */
  readonly problem: string;

  constructor(problem: string) {
    super({
      code: 'INVALID_JSON',
      message: `Expected JSON with one meaning (RFC 7493), found ${problem}.`,
      remedy: 'park',
    });
    this.problem = problem;
  }
}

/**
 * Reads all JSON that decides anything. It accepts I-JSON (RFC 7493), which RFC 8785 §3.1 requires
 * of its input. Two readers of an accepted text read the same value, and `canonicalJson` has a form
 * for it. Throws `INVALID_JSON` for bytes that are not UTF-8, a byte order mark, an unpaired
 * surrogate, a member name that occurs twice in an object, a member `__proto__`, a number that a
 * double does not hold as written, and more than `JSON_DEPTH` levels.
 */
export function readJson(source: string | Uint8Array): unknown {
  const text = typeof source === 'string' ? source : decode(source);
  if (!text.isWellFormed()) throw new JsonError('an unpaired surrogate');
  // First, so that no value is built from a text that only costs resources.
  requireOneMeaning(text);
  return parse(text);
}

/**
 * Like `readJson`, but returns `undefined` instead of throwing. For callers that describe the
 * expected text themselves.
 */
export function tryReadJson(source: string | Uint8Array): unknown {
  try {
    return readJson(source);
  } catch {
    return undefined;
  }
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

// RFC 8259 §8.1 forbids the byte order mark. It is not stripped, so the parser refuses it.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new JsonError('bytes that are not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's message quotes its input, so only the line is taken from it.
    const [, line] =
      /\(line (\d+) column \d+\)$/.exec(error instanceof Error ? error.message : '') ?? [];
    throw new JsonError(
      `something that is not JSON${line === undefined ? '' : `, in line ${line}`}`,
    );
  }
}

/** Walks the tokens without recursion. The parser checks the grammar. */
function requireOneMeaning(text: string): void {
  /** The member names so far of each open object; `undefined`: an array. */
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        isName = text.charCodeAt(at) === OPEN_BRACE;
        if (open.push(isName ? new Set() : undefined) > JSON_DEPTH)
          throw new JsonError(`more than ${JSON_DEPTH} levels`);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        open.pop();
        isName = false;
        break;
      case COMMA:
        isName = open.at(-1) !== undefined;
        break;
      case QUOTE: {
        const end = stringEnd(text, at);
        const string = stringAt(text, at, end);
        if (isName) addName(open.at(-1), string, text, at);
        isName = false;
        at = end;
        break;
      }
      default:
        if (isNumberStart(text.charCodeAt(at))) at = requireNumber(text, at) - 1;
    }
  }
}

function addName(names: Set<string> | undefined, name: string, text: string, at: number): void {
  if (names?.has(name) === true)
    throw new JsonError(`a member that occurs twice in one object, in line ${lineOf(text, at)}`);
  // A copy of the value would drop this member or set its prototype.
  if (name === '__proto__') throw new JsonError(`a member __proto__, in line ${lineOf(text, at)}`);
  names?.add(name);
}

/** Returns the index of the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (
    let quote = text.indexOf('"', start + 1);
    quote !== -1;
    quote = text.indexOf('"', quote + 1)
  ) {
    let escapes = quote;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) escapes -= 1;
    if ((quote - escapes) % 2 === 0) return quote;
  }
  throw new JsonError(`a string without its end, in line ${lineOf(text, start)}`);
}

function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  if (!raw.includes('\\')) return raw;
  const string = String(parse(text.slice(start, end + 1)));
  if (!string.isWellFormed())
    throw new JsonError(`an unpaired surrogate, in line ${lineOf(text, start)}`);
  return string;
}

function isNumberStart(code: number): boolean {
  return code === 0x2d || (code >= 0x30 && code <= 0x39);
}

const NUMBER = /[-+.eE\d]+/y;

/** Checks the number that begins at `at`, and returns its end. */
function requireNumber(text: string, at: number): number {
  NUMBER.lastIndex = at;
  const [token = ''] = NUMBER.exec(text) ?? [];
  if (
    !/^-?\d{1,15}$/.test(token) &&
    (token.length > NUMBER_LENGTH || decimalOf(token) !== decimalOf(String(Number(token))))
  ) {
    throw new JsonError(
      `a number that IEEE 754 does not hold as written, in line ${lineOf(text, at)}`,
    );
  }
  return at + token.length;
}

/** One spelling for each number: sign, significant digits and exponent. `undefined`: infinity. */
function decimalOf(token: string): string | undefined {
  const [, sign, integer = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  if (sign === undefined) return undefined;
  const digits = `${integer}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  return significant === ''
    ? '0'
    : `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

function lineOf(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next !== -1 && next < at; next = text.indexOf('\n', next + 1))
    line += 1;
  return line;
}
