import { defined } from '@residency/defined';
import { followKeys, fsck } from '@residency/auditing';
import type { FsckReport } from '@residency/auditing';
import { CHECKPOINT_PATH, formatVerifierKey } from '@residency/ledger';
import type { VerifierKey } from '@residency/ledger';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { ledgerAt, ledgersIn } from '../ledger/ledger-files.ts';
import type { NamedLedger } from '../ledger/ledger-files.ts';
import { namedLedgers } from '../ledger/ledgers.ts';
import { printable } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import { checkInterrupted } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';
import { originOf, parseVerifierKeys, trustIn } from '../ledger/verifier-keys.ts';
import type { System } from '../system/system.ts';
import { withSystem } from '../opening/with-system.ts';
import { checkRecordLogs } from './ledger-check.ts';

type Options = Common & { readonly key?: readonly string[]; readonly since?: string };
type Asked = Omit<Options, 'key'> & { readonly key?: readonly VerifierKey[] };

export async function fsckLedgers(
  session: Session,
  { key, ...rest }: Options,
  target: string | undefined,
): Promise<ExitCode> {
  const options: Asked = { ...rest, ...(key === undefined ? {} : { key: parseVerifierKeys(key) }) };
  const since =
    options.since === undefined
      ? undefined
      : await readNamed(options.since, 'the checkpoint of --since');
  if (target === undefined) {
    return await withSystem(session, options, async (system) => {
      const files = await checkAll(
        session,
        options,
        await namedLedgers(await system.ledgers()),
        since,
      );
      return since === undefined && (await differInLogs(session, options, system))
        ? EXIT.found
        : files;
    });
  }
  const ledgers = /^https?:\/\//.test(target)
    ? [ledgerAt(session, target)]
    : await ledgersIn(target);
  if (options.key === undefined)
    throw usage(
      "Expected --key with the ledger's verifier key, found none. Without it, a writer of the files could make them consistent.",
    );
  return await checkAll(session, options, ledgers, since);
}

/** Leaves may be digests, so that only the logs show what is behind them. True if a log differs. */
async function differInLogs(session: Session, { json }: Asked, system: System): Promise<boolean> {
  const logs = await checkRecordLogs(session, system);
  if (logs === undefined) return false;
  const { total, list } = logs.differences;
  for (const { code, position, message } of list)
    await (json
      ? session.output.json({ log: position.split('/')[0], fault: { code, position, message } })
      : session.output.line(`${code}  ${printable(position)}  ${message}`));
  if (total > list.length && !json)
    await session.output.line(`and ${grouped(total - list.length)} more`);
  return total > 0;
}

async function checkAll(
  session: Session,
  { json, key }: Asked,
  ledgers: readonly NamedLedger[],
  since: Uint8Array | undefined,
): Promise<ExitCode> {
  const asked = since === undefined ? ledgers : await ledgersOfOrigin(ledgers, since);
  let code: ExitCode = EXIT.done;
  for (const ledger of asked) {
    if (ledger.mayBeMissing !== undefined && (await ledger.read(CHECKPOINT_PATH)) === undefined) {
      session.output.note(`${ledger.name}: ${ledger.mayBeMissing}, and nobody made a ledger yet.`);
      continue;
    }
    const keys = key === undefined ? (ledger.keys ?? []) : await followed(session, ledger, key);
    if (ledger.keyLost !== undefined) {
      code = EXIT.found;
      await (json
        ? session.output.json({
            ledger: ledger.name,
            fault: { code: ledger.keyLost.code, message: ledger.keyLost.message },
          })
        : session.output.line(
            `${ledger.keyLost.code}  ${printable(ledger.name)}  ${ledger.keyLost.message}`,
          ));
    } else if (keys.length === 0)
      session.output.note(
        `${ledger.name}: the signature was not checked, because there is no key here and none was given with --key.`,
      );
    if (ledger.compares === true && ledger.kept === undefined)
      session.output.note(
        `${ledger.name}: no checkpoint of it is kept apart here, so a restored older copy cannot be detected.`,
      );
    const report = await check(session, ledger, keys, since);
    await (json ? session.output.json(jsonOf(ledger, report)) : write(session, ledger, report));
    if (report.fault !== undefined || report.entryFaults.total > 0) code = EXIT.found;
  }
  return code;
}

/** The one that the kept checkpoint is of, if there are several. */
async function ledgersOfOrigin(
  ledgers: readonly NamedLedger[],
  since: Uint8Array,
): Promise<readonly NamedLedger[]> {
  if (ledgers.length === 1) return ledgers;
  const origin = originOf(since);
  for (const ledger of ledgers) {
    const checkpoint = await ledger.read(CHECKPOINT_PATH);
    if (checkpoint !== undefined && originOf(checkpoint) === origin) return [ledger];
  }
  throw usage(
    `Expected --since with a checkpoint of one of these ${ledgers.length} ledgers, found another; name the ledger whose checkpoint was kept.`,
  );
}

/** Keys may have been changed since: each one vouches for the next. */
async function followed(
  { output }: Session,
  { name, read }: NamedLedger,
  known: readonly VerifierKey[],
): Promise<readonly VerifierKey[]> {
  const keys = await followKeys(read, known);
  if (keys.length > known.length)
    output.note(
      `${printable(name)}: its key was changed; the one that you gave vouches for ${keys
        .slice(known.length)
        .map((key) => formatVerifierKey(key))
        .join(', ')}.`,
    );
  return keys;
}

async function check(
  session: Session,
  { read, kept }: NamedLedger,
  keys: readonly VerifierKey[],
  since: Uint8Array | undefined,
): Promise<FsckReport> {
  const progress = startProgress(session, 'Checking entries');
  const trust = trustIn(keys, await read(CHECKPOINT_PATH));
  try {
    return await fsck(read, {
      ...defined({ trust, since, kept }),
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
  { checkpoint, entryFaults, fault, ...rest }: FsckReport,
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
    ...defined({ fault }),
    findings: entryFaults.total,
    listed: entryFaults.list,
  };
}

async function write(
  { output }: Session,
  { name }: NamedLedger,
  { checkpoint, since, files, fault, entryFaults }: FsckReport,
): Promise<void> {
  if (fault !== undefined)
    await output.line(`${fault.code}  ${printable(`${name}: ${fault.path}`)}  ${fault.message}`);
  else if (checkpoint !== undefined)
    await output.line(
      `${printable(checkpoint.origin)}: ${grouped(checkpoint.size)} entries in ${grouped(files)} files make the root ${Buffer.from(checkpoint.root).toString('base64')} of its checkpoint${since === undefined ? '' : `, and begin with the ${grouped(since)} of the older one`}.`,
    );
  for (const { code, index, position } of entryFaults.list)
    await output.line(`${code}  entry ${index}  ${printable(position ?? '')}`);
  if (entryFaults.total > entryFaults.list.length)
    await output.line(`and ${grouped(entryFaults.total - entryFaults.list.length)} more`);
}
