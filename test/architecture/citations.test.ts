import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exists, files, text } from './tree.ts';

// Whole sources are searched: a citation may be in a comment, or in a message for operators.
const sources = files(
  '{.ci,deploy,docs,examples,packages,policy,services,test}/**/*.{ts,js,md,sh,json,yml,yaml}',
)
  .concat(files('*.md'))
  .filter((path) => path !== 'test/architecture/citations.test.ts');
const design = text('docs/design.md');

/** The text of a numbered section of the design; `undefined`: there is none. */
function section(number: string): string | undefined {
  return new RegExp(String.raw`^## ${number}\. [^]*?(?=^## |$(?![^]))`, 'm').exec(design)?.[0];
}

/** The citations that `pattern` finds and `resolves` refuses, each with its file. */
function dangling(pattern: RegExp, resolves: (...groups: readonly string[]) => boolean): string[] {
  return sources.flatMap((path) =>
    [...text(path).matchAll(pattern)]
      .filter(([, ...groups]) => !resolves(...groups, path))
      .map(([citation]) => `${path}: ${citation}`),
  );
}

function count(pattern: RegExp): number {
  return sources.reduce((total, path) => total + [...text(path).matchAll(pattern)].length, 0);
}

const DESIGN = /DESIGN §(\d+)(?:\.(\d+))?(?: "([^"\n]+)")?/g;

test('every DESIGN §n is a section, every §n.m an item of it, every title after it a heading there', () => {
  expect(count(DESIGN)).toBeGreaterThan(20);
  expect(
    dangling(DESIGN, (number = '', item, title) => {
      const found = section(number);
      return (
        found !== undefined &&
        (item === undefined || new RegExp(`^${item}\\. `, 'm').test(found)) &&
        (title === undefined || found.includes(`**${title}.**`))
      );
    }),
  ).toEqual([]);
});

test('every title that is cited with its page is a heading or the bold beginning of a paragraph there', () => {
  const cited = /(docs\/[\w/-]+\.md),? "([^"\n]+)"/g;
  expect(count(cited)).toBeGreaterThan(2);
  expect(
    dangling(
      cited,
      (page = '', title = '') =>
        exists(page) &&
        [`**${title}.**`, `**${title}**`, `# ${title}\n`].some((heading) =>
          text(page).includes(heading),
        ),
    ),
  ).toEqual([]);
});

test('every GTI §n is one of the numbered facts that the policies cite', () => {
  const facts = new Set(
    [
      ...text('policy/residency-1.json').matchAll(/GTI §(\d+)/g),
      ...text('README.md').matchAll(/GTI §(\d+)/g),
    ].map(([, fact]) => fact),
  );
  expect(facts.size).toBeGreaterThan(3);
  expect(dangling(/GTI §(\d+)/g, (fact) => facts.has(fact))).toEqual([]);
});

test('every RECONCILIATION §n is a numbered statement, and the code cites each of them', () => {
  const statements = [...text('docs/reconciliation.md').matchAll(/^(\d+)\. \*\*/gm)].map(
    ([, number]) => number,
  );
  expect(statements).toEqual(statements.map((_, index) => String(index + 1)));
  expect(statements.length).toBeGreaterThan(10);
  const cited = /RECONCILIATION §(\d+)/g;
  expect(dangling(cited, (number) => statements.includes(number))).toEqual([]);
  const code = files('{packages,services}/*/src/**/*.ts').map(text).join('');
  expect(statements.filter((number) => !code.includes(`RECONCILIATION §${number}`))).toEqual([]);
});

test('every decision that is cited is a page', () => {
  const pages = new Set(
    files('docs/decisions/*.md').map((path) => path.slice('docs/decisions/'.length)),
  );
  const numbers = new Set([...pages].map((page) => page.slice(0, 4)));
  const cited = /decisions?[ /](\d{4})(-[a-z0-9-]+\.md)?/g;
  expect(count(cited)).toBeGreaterThan(10);
  expect(
    dangling(cited, (number = '', title) =>
      title === undefined ? numbers.has(number) : pages.has(`${number}${title}`),
    ),
  ).toEqual([]);
});

test('every path of the repository that a source or a document names exists', () => {
  const named =
    /(?<![\w./$}-])((?:docs|packages|services|deploy|policy|examples)\/[\w./-]*\w\.(?:ts|js|md|sh|json|yml|yaml))(?![\w/])/g;
  // Tests and examples name paths that do not exist.
  const invented = (citing: string, path: string): boolean =>
    citing.includes('.test.ts') || path === 'policy/residency-2.json';
  expect(count(named)).toBeGreaterThan(50);
  expect(
    dangling(
      named,
      (path = '', ...rest) =>
        invented(String(rest.at(-1)), path) ||
        exists(path) ||
        exists(join(String(rest.at(-1)), '..', path)) ||
        exists(join(workspaceOf(String(rest.at(-1))), path)),
    ),
  ).toEqual([]);
});

function workspaceOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}
