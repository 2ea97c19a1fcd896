import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { defined } from '@residency/defined';
import { METRICS } from '@residency/telemetry';
import { describe, expect, test } from 'vitest';
import { files, root, text } from '../architecture/tree.ts';
import { inProcess } from '../../services/cli/test/in-process.ts';
import { alerts } from './deployed.ts';
import { isCode } from './known.ts';

const FOLDER = 'docs/runbooks';
const ADDRESSES = [
  'ROUTER',
  'PROJECTOR',
  'INTAKE',
  'AUDITOR',
  'RECONCILER',
  'CUSTODIAN',
  'EXPORTER',
];
const SECTIONS = ['First look', 'Likely causes', 'When to escalate'];

interface Block {
  readonly cause?: string;
  readonly command: string;
  /** The text after it. */
  readonly shows?: string;
}

const names = [...new Set(alerts.map(({ alert }) => alert))];
const pages = names.map((name) => {
  const page = text(`${FOLDER}/${name}.md`);
  const rows = [...page.matchAll(/^\| ([a-z][a-z0-9-]*) \| .+ \| .+ \|$/gm)]
    .map(([, cause = '']) => cause)
    .filter((cause) => cause !== 'cause');
  return { name, page, rows, blocks: blocksOf(page) };
});

function blocksOf(page: string): Block[] {
  return [
    ...page.matchAll(/^```sh(?: cause=(\S+))?\n([\s\S]*?)^```$(?:\n\nShows: `([^`\n]+)`$)?/gm),
  ].map(([, cause, command = '', shows]) => ({
    command,
    ...defined({ cause, shows }),
  }));
}

/** The words of a command's name, without options and arguments. */
function commandOf(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => !/^[a-z]+(?:-[a-z]+)*$/.test(word));
  return end === -1 ? words : words.slice(0, end);
}

const asked = new Map<string, Promise<string>>();

/**
 * The help text of a command, cached. For an unknown command it is empty, or the help of its group.
 */
async function helpOf(command: readonly string[]): Promise<string> {
  const name = command.join(' ');
  const help =
    asked.get(name) ?? inProcess([...command, '--help'], { cwd: root }).then(({ out }) => out);
  asked.set(name, help);
  return await help;
}

/** All `residency ...` commands in blocks and backquotes of a text, without pipes. */
function residencyIn(page: string): string[] {
  return [...page.matchAll(/(?:^|`)residency ([a-z][^`|\n]*)/gm)].map(([, words = '']) =>
    words.trim(),
  );
}

test('there is exactly one page for each alert', () => {
  expect(files(`${FOLDER}/*.md`)).toEqual([
    `${FOLDER}/README.md`,
    ...names.toSorted().map((name) => `${FOLDER}/${name}.md`),
  ]);
});

test('the index names each with its severities', () => {
  const rows = [
    ...text(`${FOLDER}/README.md`).matchAll(/^\| \[(\w+)\]\((\w+\.md)\) \| (.+?) \| .+ \|$/gm),
  ].map(([, name = '', link, severity = '']) => ({
    name,
    link,
    severities: severity.match(/page|ticket/g)?.toSorted(),
  }));
  expect(rows.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual(
    names
      .toSorted((a, b) => a.localeCompare(b))
      .map((name) => ({
        name,
        link: `${name}.md`,
        severities: [
          ...new Set(
            alerts
              .filter(({ alert }) => alert === name)
              .map(({ labels }) => labels['severity'] ?? ''),
          ),
        ].toSorted(),
      })),
  );
});

describe.each(pages)('$name', ({ name, page, rows, blocks }) => {
  test('begins with the severity, has the same sections in the same order as every page, and fits on one page', () => {
    const [title, , first = ''] = page.split('\n');
    expect(title).toBe(`# ${name}`);
    expect(first).toMatch(/^\*\*(?:Page|Ticket)[^*]*\.\*\* .+/);
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, section]) => section)).toEqual(SECTIONS);
    expect(page.split('\n').length).toBeLessThan(75);
  });

  test('distinguishes causes by the output of a command', () => {
    const [look, ...causes] = blocks;
    expect(look?.cause).toBeUndefined();
    expect(causes.length).toBeGreaterThan(0);
    expect(causes.filter(({ cause, shows }) => cause === undefined || shows === undefined)).toEqual(
      [],
    );
    // In the order of the table. Causes that only numbers show are in the table alone.
    expect(rows.filter((row) => causes.some(({ cause }) => cause === row))).toEqual(
      causes.map(({ cause }) => cause),
    );
    expect(new Set(rows).size).toBe(rows.length);
    expect(page.match(/^```/gm)?.length).toBe(2 * blocks.length);
    expect(new Set(causes.map(({ command, shows }) => `${command} ${shows}`)).size).toBe(
      causes.length,
    );
  });

  test('has valid shell commands with existing addresses and metrics', async () => {
    for (const { command } of blocks) {
      await promisify(execFile)('sh', ['-n', '-c', command]);
      expect(
        [...command.matchAll(/\$([A-Z]+)/g)]
          .map(([, variable]) => variable)
          .filter((variable) => !ADDRESSES.includes(variable ?? '')),
      ).toEqual([]);
    }
    const metrics = [...page.matchAll(/\b(?:residency|kafka)_\w*[a-z]\b(?!\()/g)].map(
      ([metric]) => metric,
    );
    expect(metrics.filter((metric) => !Object.hasOwn(METRICS, metric))).toEqual([]);
  });

  test('names existing commands, options and error codes', async () => {
    for (const words of residencyIn(page).map((line) => line.split(' '))) {
      const command = commandOf(words);
      const help = await helpOf(command);
      expect(help).toMatch(
        new RegExp(`^Usage: residency ${command.join(' ')} (?!.*\\[command\\])`),
      );
      for (const option of words.filter((word) => word.startsWith('--')))
        expect(help).toMatch(new RegExp(`^ +${option}\\b`, 'm'));
    }
    const shown = blocks.flatMap(({ shows = '' }) => shows.match(/\b[A-Z]+_[A-Z_]*[A-Z]\b/g) ?? []);
    expect(shown.filter((code) => !isCode(code))).toEqual([]);
  });
});

test('faults of a page are found', async () => {
  expect(blocksOf('```sh cause=a\nb\n```\n\nShows: `c`\n\n```sh\nd\n```\n')).toEqual([
    { cause: 'a', command: 'b\n', shows: 'c' },
    { command: 'd\n' },
  ]);
  expect(
    residencyIn('see `residency nothing --at all`\nresidency site check zrh-1 | tail\n').map(
      (line) => commandOf(line.split(' ')),
    ),
  ).toEqual([['nothing'], ['site', 'check']]);
  expect(await helpOf(['site', 'look'])).not.toContain('Usage: residency site look');
  expect(await helpOf(['site'])).toMatch(/^Usage: residency site .*\[command\]/);
});
