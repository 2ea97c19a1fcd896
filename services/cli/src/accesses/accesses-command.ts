import { Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe, parseAt, parseSubmission } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { ACCESS_STATES } from './access-states.ts';
import { parsePrincipal, parsePurpose } from '../vault/vault-options.ts';

/** `audit accesses`. */
export function accessesCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'accesses',
    'Who had which sample and what for, or asked for it, approved it, or was refused, by the custody logs of the regions; each in its order. A refused request has neither purpose nor submission there.',
    [
      'audit accesses --state accessed --since 2026-01-01',
      'audit accesses --region zurich --purpose third-party-request --csv',
      'audit accesses --reference CASE-4711 --reference-key vault/reference-key --json',
    ],
  )
    .addOption(new Option('--state <state>', 'only these events').choices(ACCESS_STATES))
    .option('--purpose <purpose>', 'only those for this purpose', parsePurpose)
    .option(
      '--principal <principal>',
      'only those of this principal: who asked, or who approved',
      parsePrincipal,
    )
    .option('--region <region>', "only this region's")
    .option('--submission <id>', 'only those of this submission', parseSubmission)
    .option('--since <instant>', "the event's time, inclusive; RFC 3339 or a date", parseAt)
    .option('--until <instant>', "the event's time, exclusive", parseAt)
    .option('--reference <text>', 'only those for which this was the reference')
    .option(
      '--reference-key <file>',
      "the vault's key of references, 64 hex digits; with --reference",
    )
    .option('--csv', 'a table of RFC 4180 instead, with a header')
    .action(
      answering(session, answer, async () => (await import('./list-accesses.ts')).listAccesses),
    );
}
