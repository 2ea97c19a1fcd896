import { QUARANTINE_REASONS } from '@residency/contracts/reasons';
import type { Command } from 'commander';
import { usage } from '../terminal/cli-error.ts';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { MOST_ROUNDS } from './most-rounds.ts';
import { Option } from 'commander';

export function quarantineCommand(program: Command, session: Session, answer: Answer): void {
  const quarantine = group(
    program,
    'quarantine',
    'See what could not be placed and why, and send it through again or close it.',
    ['quarantine list', 'quarantine redrive --reason COUNTRY_UNKNOWN'],
  );
  describe(
    quarantine,
    'list',
    'Every quarantined record: its position, the reason, how often it was redriven, and whether it is open, redriven (as what, with which outcome) or closed.',
    ['quarantine list', 'quarantine list --open', 'quarantine list --json'],
  )
    .option('--open', 'only those that were neither redriven nor closed')
    .action(answering(session, answer, async () => (await import('./quarantine.ts')).list));
  describe(
    quarantine,
    'show',
    'One quarantined record: the reason in words and the attributes of the contract, never its sample.',
    ['quarantine show 4f2a9c1e00000000/threat.samples/0/59'],
  )
    .argument('<position>', 'from `quarantine list`')
    .action(answering(session, answer, async () => (await import('./quarantine.ts')).show));
  quarantineRedriveCommand(quarantine, session, answer);
  quarantineSetAsideCommand(quarantine, session, answer);
  quarantineCloseCommand(quarantine, session, answer);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw usage('Expected --max to be a whole number from 1, found something else.');
  return Number(text);
}

function quarantineRedriveCommand(quarantine: Command, session: Session, answer: Answer): void {
  describe(
    quarantine,
    'redrive',
    'Append quarantined records anew; their audit events name the old position. Nothing in a record changes. Ends with 1 if a record is no longer in the intake log, or another record has its position.',
    [
      'quarantine redrive 4f2a9c1e00000000/threat.samples/0/59',
      'quarantine redrive --reason COUNTRY_UNKNOWN --dry-run',
      'quarantine redrive --reason COUNTRY_UNKNOWN --max 100',
    ],
  )
    .argument('[position...]', 'from `quarantine list`')
    .addOption(
      new Option('--reason <code>', 'all open ones with this reason').choices(QUARANTINE_REASONS),
    )
    .option('--max <n>', 'at most so many, the oldest first', parseCount)
    .option('--again', `with --reason: also those that came back ${MOST_ROUNDS} times or more`)
    .option('--dry-run', 'say what would be sent, and send nothing')
    .action(
      answering(session, answer, async () => (await import('./quarantine-redrive.ts')).redrive),
    );
}

function quarantineSetAsideCommand(quarantine: Command, session: Session, answer: Answer): void {
  describe(
    quarantine,
    'set-aside',
    'Get past a record that blocks its partition (`RECORD_BLOCKED`): routers quarantine it at their next attempt, as UNPROCESSABLE. Only if it still blocks by itself: a record that can be settled is settled, one that waits for a site or a view goes on waiting, and so does one of which a site holds bytes (`SET_ASIDE_REFUSED`).',
    ['quarantine set-aside 4f2a9c1e00000000/threat.samples/0/59 --reason "reported as a defect"'],
  )
    .summary('Get past a record that blocks its partition.')
    .argument('<position>', 'from `residency status`, `residency doctor` or /readyz')
    .requiredOption('--reason <text>', 'why; 1 to 200 characters, nothing personal: it is kept')
    .action(
      answering(session, answer, async () => (await import('./quarantine-set-aside.ts')).setAside),
    );
}

function quarantineCloseCommand(quarantine: Command, session: Session, answer: Answer): void {
  describe(
    quarantine,
    'close',
    'Say that a quarantined record waits for nobody any more, and why. It is counted as open no longer; its pointer and audit event stay.',
    [
      'quarantine close 4f2a9c1e00000000/threat.samples/0/59 --reason "the publisher sent it again"',
    ],
  )
    .argument('<position>', 'from `quarantine list`')
    .requiredOption('--reason <text>', 'kept in the control log; 1 to 200 characters')
    .action(answering(session, answer, async () => (await import('./quarantine-close.ts')).close));
}
