import { fsck } from '@residency/auditing';
import type { FsckReport } from '@residency/auditing';
import { CHECKPOINT_PATH } from '@residency/ledger';
import type { VerifierKey } from '@residency/ledger';
import type { Command } from 'commander';
import { usage } from '../cli-error.ts';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { ledgerAt, ledgersIn } from '../ledger-files.ts';
import type { NamedLedger } from '../ledger-files.ts';
import { namedLedgers } from '../ledgers.ts';
import { printable } from '../output.ts';
import { startProgress } from '../progress.ts';
import { readNamed } from '../read-named.ts';
import type { Session } from '../session.ts';
import { checkInterrupted } from '../session.ts';
import { grouped } from '../table.ts';
import { parseVerifierKeys, trustIn } from '../verifier-keys.ts';
import { withSystem } from '../with-system.ts';

type Options = Common & { readonly key?: readonly VerifierKey[]; readonly since?: string };

export function auditFsckCommand(audit: Command, session: Session, answer: Answer): void {
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
      "a ledger, or a folder of one for each partition (default: this system's)",
    )
    .option(
      '--key <vkey>',
      "a ledger's verifier key, from whoever you trust to know it; may be said several times (default: this system's own)",
      parseVerifierKeys,
    )
    .option(
      '--since <checkpoint>',
      'a checkpoint that was kept: the ledger must have grown from it',
    )
    .action(
      answering(answer, (options: Options, target?: string) => run(session, options, target)),
    );
}

async function run(
  session: Session,
  options: Options,
  target: string | undefined,
): Promise<ExitCode> {
  const since =
    options.since === undefined
      ? undefined
      : await readNamed(options.since, 'the checkpoint of --since');
  if (target === undefined) {
    return await withSystem(session, options, async (system) => {
      return await checkAll(session, options, await namedLedgers(await system.ledgers()), since);
    });
  }
  const ledgers = /^https?:\/\//.test(target)
    ? [ledgerAt(session, target)]
    : await ledgersIn(target);
  if (options.key === undefined)
    throw usage(
      "Expected --key with the ledger's verifier key, found none: whoever can write the files can make them fit together.",
    );
  return await checkAll(session, options, ledgers, since);
}

async function checkAll(
  session: Session,
  { json, key }: Options,
  ledgers: readonly NamedLedger[],
  since: Uint8Array | undefined,
): Promise<ExitCode> {
  if (since !== undefined && ledgers.length > 1)
    throw usage(
      `Expected one ledger with --since, found ${ledgers.length}; name the one whose checkpoint was kept.`,
    );
  let code: ExitCode = EXIT.done;
  for (const ledger of ledgers) {
    if (ledger.mayBeMissing === true && (await ledger.read(CHECKPOINT_PATH)) === undefined) {
      session.output.note(
        `${ledger.name}: the audit log has no event there, and nobody made a ledger yet.`,
      );
      continue;
    }
    const keys = key ?? ledger.keys ?? [];
    if (keys.length === 0)
      session.output.note(
        `${ledger.name}: the signature was not checked, because there is no key here and none was given with --key.`,
      );
    const report = await check(session, ledger, keys, since);
    await (json ? session.output.json(jsonOf(ledger, report)) : write(session, ledger, report));
    if (report.fault !== undefined || report.findings.total > 0) code = EXIT.found;
  }
  return code;
}

async function check(
  session: Session,
  { read }: NamedLedger,
  keys: readonly VerifierKey[],
  since: Uint8Array | undefined,
): Promise<FsckReport> {
  const progress = startProgress(session, 'Checking entries');
  const trust = trustIn(keys, await read(CHECKPOINT_PATH));
  try {
    return await fsck(read, {
      ...(trust === undefined ? {} : { trust }),
      ...(since === undefined ? {} : { since }),
      onProgress: (entries, of) => {
        checkInterrupted(session);
        progress.update(entries, of);
      },
    });
  } finally {
    progress.stop();
  }
}

function jsonOf(
  { name }: NamedLedger,
  { checkpoint, findings, fault, ...rest }: FsckReport,
): object {
  const head =
    checkpoint === undefined
      ? {}
      : {
          origin: checkpoint.origin,
          size: checkpoint.size,
          root: Buffer.from(checkpoint.root).toString('base64'),
        };
  return {
    ledger: name,
    ...head,
    ...rest,
    ...(fault === undefined ? {} : { fault }),
    findings: findings.total,
    listed: findings.list,
  };
}

async function write(
  { output }: Session,
  { name }: NamedLedger,
  { checkpoint, since, files, fault, findings }: FsckReport,
): Promise<void> {
  if (fault !== undefined)
    await output.line(`${fault.code}  ${printable(`${name}: ${fault.path}`)}  ${fault.message}`);
  else if (checkpoint !== undefined)
    await output.line(
      `${printable(checkpoint.origin)}: ${grouped(checkpoint.size)} entries in ${grouped(files)} files make the root ${Buffer.from(checkpoint.root).toString('base64')} of its checkpoint${since === undefined ? '' : `, and begin with the ${grouped(since)} of the older one`}.`,
    );
  for (const { code, index, position } of findings.list)
    await output.line(`${code}  entry ${index}  ${printable(position ?? '')}`);
  if (findings.total > findings.list.length)
    await output.line(`and ${grouped(findings.total - findings.list.length)} more`);
}
