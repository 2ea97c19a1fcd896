import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../src/program.ts';
import { commands, leaves, program, session } from './command-tree.ts';

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 400,
  });
  command.outputHelp();
  return text;
}

it('has every command of the table', () => {
  expect(leaves).toEqual([
    'audit accesses',
    'audit adjudicate',
    'audit erasures',
    'audit export',
    'audit fsck',
    'audit key generate',
    'audit key rotate',
    'audit key show',
    'audit list',
    'audit losses',
    'audit new-ledger',
    'audit prove',
    'audit replay',
    'audit restore',
    'audit verify',
    'clock accept',
    'config check',
    'consent grant',
    'consent show',
    'consent withdraw',
    'doctor',
    'drain',
    'erase',
    'hold lift',
    'hold list',
    'hold place',
    'keys add',
    'keys list',
    'keys retire',
    'log-level',
    'pause',
    'policy check',
    'policy diff',
    'policy publish',
    'policy show',
    'publish',
    'quarantine close',
    'quarantine list',
    'quarantine redrive',
    'quarantine set-aside',
    'quarantine show',
    'reconcile',
    'resume',
    'route',
    'sample approve',
    'sample get',
    'sample give-up',
    'sample list',
    'sample open',
    'sample request',
    'sample search',
    'service',
    'site backfill',
    'site check',
    'site in',
    'site init',
    'site out',
    'site rebuild',
    'site repair',
    'site repairs',
    'site retire',
    'start',
    'status',
    'topics accept',
    'topics check',
    'topics create',
    'where',
  ]);
});

describe.each(commands)('$path --help', ({ path, command }) => {
  it('says what it does, with examples of its own', () => {
    expect(command.description()).not.toBe('');
    const [, examples = ''] = helpOf(command).split('\nExamples:\n');
    const lines = examples.split('\n').filter((line) => line.startsWith('  $ '));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toContain(`$ ${path}`);
  });

  it('gives examples whose commands and options exist', () => {
    const [, examples = ''] = helpOf(command).split('\nExamples:\n');
    for (const line of examples.split('\n').filter((text) => text.startsWith('  $ '))) {
      const words = line.trim().split(/\s+/).slice(2);
      let at = program;
      for (const word of words) at = at.commands.find((one) => one.name() === word) ?? at;
      const known = at.options.map(({ long }) => long);
      for (const word of words.filter((one) => one.startsWith('--'))) expect(known).toContain(word);
      expect(at.commands).toEqual([]);
    }
  });
});

it('service starts everything that has a main.ts, but for what residency start does', () => {
  const services = fileURLToPath(new URL('../../', import.meta.url));
  const mains = readdirSync(services).filter(
    (name) => name !== 'cli' && existsSync(join(services, name, 'src', 'main.ts')),
  );
  const [argument] =
    program.commands.find((one) => one.name() === 'service')?.registeredArguments ?? [];
  expect(argument?.argChoices?.toSorted()).toEqual(mains.toSorted());
});

it('declares one command alone if the arguments begin with its name', async () => {
  for (const name of program.commands.map((command) => command.name())) {
    const { commands: declared } = await createProgram(session, () => undefined, [name, '--help']);
    expect(declared.map((command) => command.name())).toEqual([name]);
  }
});

it.each([['--json', 'where'], ['help', 'where'], ['wher'], ['constructor'], []])(
  'declares every command if they begin with anything else (%s)',
  async (...args) => {
    const { commands: declared } = await createProgram(session, () => undefined, args);
    expect(declared).toHaveLength(program.commands.length);
  },
);
