/** One matcher of a selector, such as `code=~"SITE_.+"`. */
export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** The names in an expression. */
export interface Named {
  readonly metrics: readonly { readonly name: string; readonly matchers: readonly Matcher[] }[];
  /** The labels after `by`, `on`, `group_left` and similar keywords. */
  readonly labels: readonly string[];
  /** The labels that `label_replace` sets, and those that it reads. */
  readonly made: readonly string[];
  readonly read: readonly string[];
}

interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'range' | 'sign';
  readonly text: string;
}

/**
 * Comments and blanks are skipped; `[5m]` and `[1h:5m]` are one token; a number takes the unit of a
 * duration along.
 */
const TOKEN =
  /\s+|#[^\n]*|(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?<number>\d[\d.a-zA-Z]*)|(?<range>\[[^\]]*\])|(?<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>@])/y;
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'atan2', 'bool', 'offset', 'inf', 'nan']);

function tokens(expression: string): readonly Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(expression)?.groups;
    if (groups === undefined)
      throw new SyntaxError(
        `Expected PromQL, found ${JSON.stringify(expression.slice(at, at + 20))}.`,
      );
    for (const kind of ['name', 'string', 'number', 'range', 'sign'] as const) {
      const text = groups[kind];
      if (text !== undefined) found.push({ kind, text });
    }
  }
  return found;
}

/** The metrics and labels in an expression. It need not be valid; promtool checks that. */
export function namedIn(expression: string): Named {
  const reader = new Reader(tokens(expression));
  const [metrics, labels, strings]: [{ name: string; matchers: Matcher[] }[], string[], string[]] =
    [[], [], []];
  for (let token = reader.next(); token !== undefined; token = reader.next()) {
    const word = token.text.toLowerCase();
    if (token.kind === 'string') strings.push(unquoted(token.text));
    else if (token.text === '{') metrics.push({ name: '', matchers: reader.matchers() });
    else if (token.kind !== 'name' || WORDS.has(word)) continue;
    else if (GROUPING.has(word)) labels.push(...reader.list());
    else if (!reader.isCall())
      metrics.push({ name: token.text, matchers: reader.take('{') ? reader.matchers() : [] });
  }
  return {
    metrics,
    labels,
    made: strings.filter((_, index) => index % 4 === 0),
    read: strings.filter((text, index) => index % 4 === 2 && text !== ''),
  };
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(read: readonly Token[]) {
    this.#tokens = read;
  }

  next(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  take(text: string): boolean {
    if (this.#tokens[this.#at]?.text !== text) return false;
    this.#at += 1;
    return true;
  }

  /** True for a function, or an aggregation with its labels first. */
  isCall(): boolean {
    const { text = '' } = this.#tokens[this.#at] ?? {};
    return text === '(' || GROUPING.has(text.toLowerCase());
  }

  /** Reads `(a, b)`; optional after `group_left`. */
  list(): string[] {
    if (!this.take('(')) return [];
    const names: string[] = [];
    for (let token = this.next(); token !== undefined && token.text !== ')'; token = this.next())
      if (token.kind === 'name') names.push(token.text);
    return names;
  }

  matchers(): Matcher[] {
    const found: Matcher[] = [];
    for (let token = this.next(); token !== undefined && token.text !== '}'; token = this.next()) {
      if (token.text === ',') continue;
      found.push({
        label: token.text,
        operator: this.next()?.text ?? '',
        value: unquoted(this.next()?.text ?? ''),
      });
    }
    return found;
  }
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}
