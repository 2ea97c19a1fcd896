import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { METRICS } from '@residency/telemetry';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { Output } from '../../services/cli/src/output.ts';
import { createProgram } from '../../services/cli/src/program.ts';
import { files, text } from '../architecture/tree.ts';
import { alerts } from './deployed.ts';
import { isCode } from './known.ts';

const FOLDER = 'docs/runbooks';
const ADDRESSES = ['ROUTER', 'PROJECTOR', 'INTAKE', 'AUDITOR', 'RECONCILER', 'EXPORTER'];
const SECTIONS = ['First look', 'Likely causes', 'When to escalate'];

interface Block {
  readonly cause?: string;
  readonly command: string;
  /** What follows it. */
  readonly shows?: string;
}

const names = [...new Set(alerts.map(({ alert }) => alert))];
const pages = names.map((name) => {
  const page = text(`${FOLDER}/${name}.md`);
  const rows = [...page.matchAll(/^\| ([a-z][a-z0-9-]*) \| .+ \| .+ \|$/gm)].map(([, cause = '']) => cause).filter((cause) => cause !== 'cause');
  return { name, page, rows, blocks: blocksOf(page) };
});

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```sh(?: cause=(\S+))?\n([\s\S]*?)^```$(?:\n\nShows: `([^`\n]+)`$)?/gm)].map(([, cause, command = '', shows]) =>
    ({ command, ...(cause === undefined ? {} : { cause }), ...(shows === undefined ? {} : { shows }) }));
}

const program = createProgram({ output: new Output(new PassThrough(), new PassThrough()), env: {}, signal: new AbortController().signal, now: () => 0 }, () => undefined);

/** The command that a line's words name, and what of them is left. */
function commandOf(words: readonly string[], from: Command = program): { readonly command: Command; readonly rest: readonly string[] } {
  const next = from.commands.find((one) => one.name() === words[0]);
  return next === undefined ? { command: from, rest: words } : commandOf(words.slice(1), next);
}

/** All `residency ...` that a text names, in blocks and between backquotes, without what they are piped into. */
function residencyIn(page: string): string[] {
  return [...page.matchAll(/(?:^|`)residency ([a-z][^`|\n]*)/gm)].map(([, words = '']) => words.trim());
}

test('there is a page for each alert, and no other', () => {
  expect(files(`${FOLDER}/*.md`)).toEqual([`${FOLDER}/README.md`, ...names.toSorted().map((name) => `${FOLDER}/${name}.md`)]);
});

test('the index names each with its severities', () => {
  const rows = [...text(`${FOLDER}/README.md`).matchAll(/^\| \[(\w+)\]\((\w+\.md)\) \| (.+?) \| .+ \|$/gm)].map(([, name = '', link, severity = '']) => ({ name, link, severities: severity.match(/page|ticket/g)?.toSorted() }));
  expect(rows.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual(names.toSorted().map((name) =>
    ({ name, link: `${name}.md`, severities: [...new Set(alerts.filter(({ alert }) => alert === name).map(({ labels }) => labels['severity'] ?? ''))].toSorted() })));
});

describe.each(pages)('$name', ({ name, page, rows, blocks }) => {
  test('says how urgent it is first, and what to do in the same order as every page, on one', () => {
    const [title, , first = ''] = page.split('\n');
    expect(title).toBe(`# ${name}`);
    expect(first).toMatch(/^\*\*(?:Page|Ticket)[^*]*\.\*\* .+/);
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, section]) => section)).toEqual(SECTIONS);
    expect(page.split('\n').length).toBeLessThan(75);
  });

  test('tells causes apart by what a command shows', () => {
    const [look, ...causes] = blocks;
    expect(look?.cause).toBeUndefined();
    expect(causes.length).toBeGreaterThan(0);
    expect(causes.filter(({ cause, shows }) => cause === undefined || shows === undefined)).toEqual([]);
    // In the order of the table. What only numbers tell stands in the table alone.
    expect(rows.filter((row) => causes.some(({ cause }) => cause === row))).toEqual(causes.map(({ cause }) => cause));
    expect(new Set(rows).size).toBe(rows.length);
    expect(page.match(/^```/gm)?.length).toBe(2 * blocks.length);
    expect(new Set(causes.map(({ command, shows }) => `${command} ${shows}`)).size).toBe(causes.length);
  });

  test('has commands that a shell takes, about addresses and metrics that there are', async () => {
    for (const { command } of blocks) {
      await promisify(execFile)('sh', ['-n', '-c', command]);
      expect([...command.matchAll(/\$([A-Z]+)/g)].map(([, variable]) => variable).filter((variable) => !ADDRESSES.includes(variable ?? ''))).toEqual([]);
    }
    const metrics = [...page.matchAll(/\b(?:residency|kafka)_\w*[a-z]\b(?!\()/g)].map(([metric]) => metric);
    expect(metrics.filter((metric) => !Object.hasOwn(METRICS, metric))).toEqual([]);
  });

  test('names commands and options of the command line, and codes of the code', () => {
    for (const words of residencyIn(page).map((line) => line.split(' '))) {
      const { command, rest } = commandOf(words);
      expect([words, command.commands.length]).toEqual([words, 0]);
      const options = rest.filter((word) => word.startsWith('--'));
      expect([words, options.filter((option) => !command.options.some(({ long }) => long === option))]).toEqual([words, []]);
    }
    const shown = blocks.flatMap(({ shows = '' }) => shows.match(/\b[A-Z]+_[A-Z_]*[A-Z]\b/g) ?? []);
    expect(shown.filter((code) => !isCode(code))).toEqual([]);
  });
});

test('what a page may not say is found', () => {
  expect(blocksOf('```sh cause=a\nb\n```\n\nShows: `c`\n\n```sh\nd\n```\n')).toEqual([{ cause: 'a', command: 'b\n', shows: 'c' }, { command: 'd\n' }]);
  expect(residencyIn('see `residency nothing --at all`\nresidency site check zrh-1 | tail\n')).toEqual(['nothing --at all', 'site check zrh-1']);
  expect(commandOf(['site', 'look']).command.commands.length).toBeGreaterThan(0);
});
