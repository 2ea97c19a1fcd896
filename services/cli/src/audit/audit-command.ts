import { OUTCOMES } from '@residency/contracts/reasons';
import { EXPORT_FORMATS } from '@residency/contracts/vocabulary';
import { Option } from 'commander';
import type { Command } from 'commander';
import {
  answering,
  collect,
  describe,
  group,
  parseAt,
  parseProvable,
  parseSubmission,
} from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { periodOptions } from '../system/period-options.ts';
import { accessesCommand } from '../accesses/accesses-command.ts';
import { erasuresCommand } from '../erasure/erasures-command.ts';
import { lossesCommand } from '../losses/loss-commands.ts';
import { auditKeyCommand, auditNewLedgerCommand } from './audit-key-command.ts';

export function auditCommand(program: Command, session: Session, answer: Answer): void {
  const audit = group(program, 'audit', 'Read the audit log, judge it, and prove it to others.', [
    'audit list --outcome quarantined',
    'audit replay',
    'audit adjudicate',
    'audit fsck',
  ]);
  describe(
    audit,
    'list',
    "Audit events in log order, on a cluster in each partition's; --json gives the events themselves, byte for byte.",
    [
      'audit list --outcome stored --region zurich',
      'audit list --from 2026-01-01 --to 2026-02-01 --json',
      'audit list --submission 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd',
      'audit list --control',
    ],
  )
    .addOption(new Option('--outcome <outcome>', 'only these').choices(OUTCOMES))
    .option('--region <region>', 'only those decided for this region')
    .option('--submission <id>', 'only those about this submission', parseSubmission)
    .option(
      '--from <instant>',
      'append time of the records they are about, inclusive; RFC 3339 or a date',
      parseAt,
    )
    .option('--to <instant>', 'append time, exclusive', parseAt)
    .option(
      '--control',
      'instead, what people did: and who: openings, keys, policies, redrives, exports, pauses, drainings, log levels',
    )
    .action(answering(session, answer, async () => (await import('./audit-list.ts')).listAny));
  for (const add of [
    accessesCommand,
    erasuresCommand,
    lossesCommand,
    auditReplayCommand,
    auditAdjudicateCommand,
    auditProveCommand,
    auditVerifyCommand,
    auditFsckCommand,
    auditExportCommand,
    auditRestoreCommand,
    auditKeyCommand,
    auditNewLedgerCommand,
  ])
    add(audit, session, answer);
}

function auditReplayCommand(audit: Command, session: Session, answer: Answer): void {
  periodOptions(
    describe(
      audit,
      'replay',
      'Count the whole audit log together, by region, country, policy and outcome, and name it by a digest that every correct replay has. Without a period, custody logs are counted too, and the copies that each site has by all of them. Ends with 1 where a log is not whole.',
      [
        'audit replay',
        'audit replay --from 2026-01-01 --to 2026-02-01 --json',
        'audit replay --into january --from 2026-01-01 --to 2026-02-01',
      ],
    ),
  )
    .option(
      '--into <dir>',
      'write the views as files, that by consent among them; a folder that is empty or not there',
    )
    .action(answering(session, answer, async () => (await import('./audit-replay.ts')).replayLog));
}

function auditAdjudicateCommand(audit: Command, session: Session, answer: Answer): void {
  periodOptions(
    describe(
      audit,
      'adjudicate',
      'Decide every recorded submission again, by the policy and the consents of its time; ends with 1 and a list where an event says otherwise. With --policy: what a proposed version would move.',
      [
        'audit adjudicate',
        'audit adjudicate --from 2026-01-01 --to 2026-02-01 --json',
        'audit adjudicate --policy policy/residency-2.json',
      ],
    ),
  )
    .option(
      '--policy <file>',
      'what if: which stored samples this version would place elsewhere; nothing is moved',
    )
    .action(
      answering(session, answer, async () => (await import('./audit-adjudicate.ts')).adjudicateLog),
    );
}

function auditProveCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'prove',
    "Write a receipt for a submission's audit event, or for a record of a log in which append time decides, and what was signed beside it (FILE.leaf). With the ledger's key, anybody can verify both without us. Where the leaf is a digest, FILE.record is what it is a digest of.",
    [
      'audit prove 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --out sample.tlog-proof',
      'audit prove 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --custody zurich --out copy.tlog-proof',
      'audit prove log-4f2a9c1e/residency.policy/0/12 --out policy.tlog-proof',
      'audit prove 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --position log-4f2a9c1e/threat.samples/0/42 --out sample.tlog-proof',
    ],
  )
    .argument(
      '<submission or position>',
      'the id of a submission, or the position of a record of residency.policy, residency.control or threat.consents',
      parseProvable,
    )
    .requiredOption('--out <file>', 'the receipt; neither it nor <file>.leaf exists yet')
    .option(
      '--position <position>',
      'the event about the record here (default: the one that stored it, else the last)',
    )
    .option('--custody <region>', "instead, the last event about it in this region's custody log")
    .action(answering(session, answer, async () => (await import('./audit-prove.ts')).proveEvent));
}

function auditVerifyCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'verify',
    "Check a receipt and its event with nothing but the ledger's key: no system, no network. Ends with 1 where it proves nothing.",
    [
      'audit verify sample.tlog-proof --key ledger.example/residency/0+c43fed9c+AZkBmeh9skIndaTtAncjylg4ECJXNO61WffprqXvsHM5',
    ],
  )
    .argument('<receipt>', 'from `audit prove`')
    .requiredOption(
      '--key <vkey>',
      "the ledger's verifier key, from a source you trust; may be given several times",
      collect,
    )
    .option('--leaf <file>', 'the leaf, byte for byte (default: <receipt>.leaf)')
    .option(
      '--record <file>',
      'of a leaf that is a digest: the record that it is a digest of (default: <receipt>.record, if it is there)',
    )
    .action(answering(session, answer, async () => (await import('./audit-verify.ts')).verify));
}

function auditFsckCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'fsck',
    "Make a ledger anew from its entries and compare every tile, the root, the signatures, an older checkpoint, and the events' places. Ends with 1 and the first file at fault.",
    [
      'audit fsck',
      'audit fsck http://127.0.0.1:8080/ledger/0 --key ledger.example/residency/0+c43fed9c+AZkBmeh9skIndaTtAncjylg4ECJXNO61WffprqXvsHM5',
      'audit fsck copy-of-the-ledger --key ledger.example/residency/0+c43fed9c+AZkBmeh9skIndaTtAncjylg4ECJXNO61WffprqXvsHM5 --since checkpoint-of-last-year',
    ],
  )
    .argument(
      '[url or folder]',
      "a ledger, or a folder of one for each log (default: this system's)",
    )
    .option(
      '--key <vkey>',
      "a ledger's verifier key, from a source you trust; may be given several times (default: this system's own)",
      collect,
    )
    .option(
      '--since <checkpoint>',
      'a checkpoint that was kept: the ledger must have grown from it',
    )
    .action(answering(session, answer, async () => (await import('./audit-fsck.ts')).fsckLedgers));
}

function auditRestoreCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'restore',
    'Append to the audit log and the custody logs what their ledgers have and they lack, byte for byte and in order: where a topic was deleted, or an older copy of a data directory was put back. Everything is checked before anything is appended. Stop routers, custodians and auditors first; repeat it after an interruption.',
    [
      'audit restore --from-ledger --dry-run',
      'audit restore --from-ledger --data /srv/residency',
      'audit restore --from-ledger --config cluster.env',
    ],
  )
    .addOption(
      new Option(
        '--from-ledger',
        'from the entries of the ledgers that this system names',
      ).makeOptionMandatory(),
    )
    .option('--dry-run', 'say what is missing, and append nothing; ends with 1 where anything is')
    .action(
      answering(session, answer, async () => (await import('./audit-restore.ts')).restoreLog),
    );
}

function auditExportCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'export',
    'Give out the events of a period on standard output, as a stream of any size. That it was done is recorded on residency.control: `audit list --control` shows it.',
    [
      'audit export --from 2026-01-01 --to 2026-02-01',
      'audit export --from 2026-01-01 --to 2026-02-01 --format csv',
      'audit export --from 2026-01-01 --to 2026-02-01 --custody zurich',
    ],
  )
    .requiredOption(
      '--from <instant>',
      'append time of the records that events are about, inclusive; RFC 3339 or a date',
      parseAt,
    )
    .requiredOption('--to <instant>', 'append time, exclusive', parseAt)
    .addOption(
      new Option('--format <format>', 'the bytes that were decided, or a table for people')
        .choices(EXPORT_FORMATS)
        .default('ndjson'),
    )
    .option(
      '--custody <region>',
      "instead, this region's custody events, by the append time of their own records",
    )
    .action(
      answering(session, answer, async () => (await import('./audit-export.ts')).exportEvents),
    );
}
