import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { isSubmission } from '../terminal/command.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { inOrder } from '../publishing/in-order.ts';
import { countLines, submissionsIn } from './asked-submissions.ts';
import type { AskedLine } from './asked-submissions.ts';
import { GetTally } from './get-tally.ts';
import { SampleFolder } from './sample-folder.ts';
import { SampleGetter, fetchAccess } from './sample-getter.ts';
import type { Pending, Result } from './sample-getter.ts';
import { openVault } from './vault-client.ts';
import { requireReference } from './vault-options.ts';
import type { OrderOptions, VaultOptions } from './vault-options.ts';

type Options = Common &
  VaultOptions &
  Partial<OrderOptions> &
  Pick<OrderOptions, 'form'> & {
    readonly from?: string;
    readonly access?: string;
    readonly out: string;
    readonly again?: true;
  };

/**
 * How many accesses are asked for ahead of the one whose sample is fetched, so that one checkpoint is
 * waited for and not one for each. Few enough for the shortest lifetime, a minute.
 */
const ASKED_AHEAD = 32;
/** A vault sends eight at a time, to all who ask. */
const FETCHED = 4;

export async function getSamples(
  session: Session,
  options: Options,
  submissions: readonly string[],
): Promise<ExitCode> {
  requireOneSource(options, submissions);
  return options.access === undefined
    ? await getSubmissions(session, options, submissions)
    : await getAccess(session, options, options.access);
}

async function getSubmissions(
  session: Session,
  options: Options,
  submissions: readonly string[],
): Promise<ExitCode> {
  const { purpose, reference, form, from, region } = options;
  if (purpose === undefined || reference === undefined)
    throw usage('Expected --purpose and --reference, found one or both missing; name them.');
  requireReference(reference);
  const total = from === undefined ? submissions.length : await countLines(from);
  const client = await openVault(session, options);
  const terms = { purpose, reference, form, ...(region === undefined ? {} : { region }) };
  const folder = await SampleFolder.open(options.out, terms);
  const tally = new GetTally(session, options.json, total);
  const getter = new SampleGetter({
    session,
    client,
    folder,
    terms,
    again: options.again === true,
  });
  try {
    const lines = from === undefined ? named(submissions) : submissionsIn(from);
    const asked = inOrder(until(session, getter, lines), ASKED_AHEAD, async (line) =>
      line.submission === undefined
        ? ({ state: 'invalid', line: line.line } as const)
        : await getter.ask(line.submission),
    );
    const results = inOrder(asked, FETCHED, async (one: Result | Pending) =>
      one.state === 'pending' ? await getter.fetch(one) : one,
    );
    for await (const result of results) await tally.add(result);
  } finally {
    tally.stop();
    await folder.close();
    await tally.finish(getter.stopped);
  }
  return tally.exitCode(getter.stopped);
}

async function getAccess(session: Session, options: Options, access: string): Promise<ExitCode> {
  const client = await openVault(session, options);
  const folder = await SampleFolder.open(options.out);
  const tally = new GetTally(session, options.json, 1);
  try {
    await tally.add(await fetchAccess({ client, folder }, access));
  } finally {
    tally.stop();
    await folder.close();
    await tally.finish(undefined);
  }
  return tally.exitCode(undefined);
}

function requireOneSource({ from, access }: Options, submissions: readonly string[]): void {
  const sources = [submissions.length > 0, from !== undefined, access !== undefined];
  if (sources.filter(Boolean).length !== 1)
    throw usage('Expected submissions, or --from, or --access, found none of them or several.');
  if (submissions.some((one) => !isSubmission(one)))
    throw usage('Expected submission ids, 64 lower-case hex digits, found something else.');
}

async function* named(submissions: readonly string[]): AsyncGenerator<AskedLine> {
  for (const submission of submissions) yield { submission };
}

/** Ends once the vault would refuse every other one too. */
async function* until(
  session: Session,
  getter: SampleGetter,
  lines: AsyncIterable<AskedLine>,
): AsyncGenerator<AskedLine> {
  for await (const line of lines) {
    checkInterrupted(session);
    if (getter.stopped !== undefined) return;
    yield line;
  }
}
