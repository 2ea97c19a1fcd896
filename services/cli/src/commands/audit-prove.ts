import { rm } from 'node:fs/promises';
import { leafOf, prove } from '@residency/auditing';
import type { Proven } from '@residency/auditing';
import { decodeAuditEvent, formatPosition, parsePosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { answering, describe, parseSubmission } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { readOf } from '../ledgers.ts';
import { placeOf } from '../outcome.ts';
import { printable } from '../output.ts';
import type { Session } from '../session.ts';
import type { System } from '../system.ts';
import { withSystem } from '../with-system.ts';
import { refuseExisting, writeNewFile } from '../write-new-file.ts';

type Options = Common & { readonly out: string; readonly position?: string };

export function auditProveCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'prove',
    "Write a receipt for what was decided about a submission, and the event itself beside it (FILE.leaf): whoever has the ledger's key verifies both without us.",
    [
      'audit prove 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --out sample.tlog-proof',
      'audit prove 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --position log-4f2a9c1e/threat.samples/0/42 --out sample.tlog-proof',
    ],
  )
    .argument('<submission>', 'its id', parseSubmission)
    .requiredOption('--out <file>', 'the receipt; neither it nor <file>.leaf exists yet')
    .option(
      '--position <position>',
      'the event about the record here (default: the one that stored it, else the last)',
    )
    .action(
      answering(answer, (options: Options, submission: string) =>
        withSystem(session, options, (system) => run(session, options, submission, system)),
      ),
    );
}

interface Found {
  readonly event: AuditEvent;
  readonly leaf: Uint8Array;
}

async function run(
  session: Session,
  { out, position, json }: Options,
  submission: string,
  system: System,
): Promise<ExitCode> {
  for (const path of [out, `${out}.leaf`]) await refuseExisting(path, '--out');
  const found = await eventsOf(system, submission);
  const { event, leaf } = choose(
    found,
    position === undefined ? undefined : formatPosition(parsePosition(position)),
  );
  const { partition } = event.position;
  const ledgers = await system.ledgers();
  const key = await ledgers.verifierKey(partition);
  const proven = await prove(
    readOf(ledgers, partition),
    leaf,
    event,
    key === undefined ? undefined : { keys: [key] },
  );
  await writeBoth(out, proven, leaf);
  const said = {
    submission,
    position: formatPosition(event.position),
    outcome: event.outcome,
    origin: proven.origin,
    index: proven.index,
    size: proven.size,
    receipt: out,
    leaf: `${out}.leaf`,
  };
  if (json) await session.output.json(said);
  else
    await session.output.line(
      `Event of ${said.position} (${event.outcome}, ${placeOf(event)}): leaf ${proven.index} of ${proven.origin}, under a checkpoint of ${proven.size}. Receipt in ${printable(out)}, event in ${printable(`${out}.leaf`)}.`,
    );
  if (found.length > 1)
    session.output.note(
      `It has ${found.length} events; the others: ${found
        .filter((one) => one.event !== event)
        .map((one) => formatPosition(one.event.position))
        .join(', ')}. Name one with --position.`,
    );
  return EXIT.done;
}

async function eventsOf(system: System, submission: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  for await (const bytes of system.auditRecords({ submission }))
    found.push({ event: decodeAuditEvent(bytes), leaf: leafOf(bytes) });
  return found;
}

function choose(found: readonly Found[], position: string | undefined): Found {
  const chosen =
    position === undefined
      ? (found.find(({ event }) => event.outcome === 'stored') ?? found.at(-1))
      : found.find(({ event }) => formatPosition(event.position) === position);
  if (chosen === undefined)
    throw new CliError({
      code: 'NOT_THERE',
      message: `Expected an audit event about this submission${position === undefined ? '' : ' and that record'}, found none; see \`residency status\` for what became of it.`,
      remedy: 'stop',
    });
  return chosen;
}

async function writeBoth(out: string, { receipt }: Proven, leaf: Uint8Array): Promise<void> {
  await writeNewFile(`${out}.leaf`, leaf, '--out');
  try {
    await writeNewFile(out, receipt, '--out');
  } catch (error) {
    await rm(`${out}.leaf`, { force: true });
    throw error;
  }
}
