import { LOST_OF_LEDGER } from '@residency/contracts/vocabulary';
import type { Command } from 'commander';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { Option } from 'commander';

export function auditKeyCommand(audit: Command, session: Session, answer: Answer): void {
  const key = group(audit, 'key', "The key that signs the ledgers' checkpoints.", [
    'audit key show',
    'audit key rotate',
  ]);
  describe(
    key,
    'show',
    "The verifier keys of each partition's ledger, the one that signs first and then those before it: what outsiders need. Give them to them by a way that they trust.",
    ['audit key show', 'audit key show --json'],
  ).action(answering(session, answer, async () => (await import('./audit-key.ts')).showKeys));
  describe(
    key,
    'generate',
    'Make the secret key of a cluster before its first event, and show what verifies it. Back it up: without it the ledgers can not grow. A data directory is made with its key.',
    ['audit key generate --config cluster.env'],
  ).action(answering(session, answer, async () => (await import('./audit-key.ts')).generateKey));
  describe(
    key,
    'rotate',
    'Change the key: the newest checkpoint of each ledger is signed by the old key and by a new one, then the new one signs alone. Receipts from before verify under the old key. Repeat it after an interruption. On a cluster, where the key file is; restart the auditors afterwards.',
    ['audit key rotate', 'audit key rotate --config cluster.env'],
  ).action(answering(session, answer, async () => (await import('./audit-key.ts')).rotateKeys));
}

export function auditNewLedgerCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'new-ledger',
    'Begin a new ledger of each partition, under a new name, whose first leaf is the last checkpoint of the one before: where its key is lost, or a backup was restored that lacks events. The old ledger stays as it is. Repeat it after an interruption. On a cluster with all auditors stopped, where the key file is.',
    [
      'audit new-ledger --lost key',
      'audit new-ledger --lost events --data /srv/residency',
      'audit new-ledger --lost key --config cluster.env',
    ],
  )
    .addOption(
      new Option('--lost <what>', 'what can not be restored')
        .choices(LOST_OF_LEDGER)
        .makeOptionMandatory(),
    )
    .action(
      answering(session, answer, async () => (await import('./audit-new-ledger.ts')).newLedger),
    );
}
