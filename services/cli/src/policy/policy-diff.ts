import { defined } from '@residency/defined';
import { whatIf } from '@residency/auditing';
import type { WhatIf } from '@residency/auditing';
import { readPolicy } from '@residency/contracts';
import { parseInstant, policyDiff } from '@residency/residency';
import type { Instant, PolicyMove, PolicyVersion } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { isAsked } from '../opening/require-data-directory.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { reportProblems } from './policy-problems.ts';
import { instantJson, instantText, nameOf } from './publication.ts';
import { sitesText } from './sites-text.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, counted, table } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';

/**
 * A move, with the stored samples of its country that are in another region. Absent: the system was
 * not asked.
 */
type Row = PolicyMove & { readonly stored?: { readonly samples: number; readonly bytes: number } };

export async function diff(
  session: Session,
  options: Common,
  ...files: readonly [before: string, after: string]
): Promise<ExitCode> {
  const [before, after] = [await policyOf(files[0]), await policyOf(files[1])];
  let unsound = false;
  for (const version of [before, after])
    unsound = (await reportProblems(session, options, version)) || unsound;
  if (unsound) return EXIT.found;
  const since =
    after.document.version === 1
      ? -Infinity
      : (parseInstant(after.document.effectiveFrom) ?? -Infinity);
  const moves = policyDiff(before, after, since);
  const rows = (await isAsked(options)) ? await withStored(session, options, after, moves) : moves;
  const past = policyDiff(before, after, -Infinity).filter(({ from }) => from < since).length;
  await (options.json ? writeJson(session, rows) : writeText(session, { before, after }, rows));
  for (const line of regionLines(before, after)) session.output.note(line);
  if (past > 0)
    session.output.note(
      `For instants before ${instantText(since)} the documents differ too, for ${counted(past, 'period')}: no record is decided by that.`,
    );
  return EXIT.done;
}

async function policyOf(file: string): Promise<PolicyVersion> {
  return readPolicy(await readNamed(file, 'the policy'));
}

/** The audit log is read once for each instant at which something moves. */
async function withStored(
  session: Session,
  options: Common,
  after: PolicyVersion,
  moves: readonly PolicyMove[],
): Promise<readonly Row[]> {
  return await withSystem(session, options, async (system) => {
    const found = new Map<Instant, WhatIf>();
    for (const { from } of moves) {
      if (!found.has(from))
        found.set(from, await whatIf(interruptible(session, system.auditLog()), after, from));
    }
    return moves.map((move) => {
      const stand = (found.get(move.from)?.moves ?? []).filter(
        ({ country }) => country === move.country,
      );
      return {
        ...move,
        stored: {
          samples: stand.reduce((sum, { samples }) => sum + samples, 0),
          bytes: stand.reduce((sum, { bytes }) => sum + bytes, 0),
        },
      };
    });
  });
}

/** The first site arbitrates, so their order counts. */
function regionLines(before: PolicyVersion, after: PolicyVersion): string[] {
  const [old, now] = [sitesOf(before), sitesOf(after)];
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter(
    (id) => old.get(id) !== now.get(id),
  );
  return changed.map(
    (id) => `Region ${id}: sites ${old.get(id) ?? '(none)'} become ${now.get(id) ?? '(none)'}.`,
  );
}

function sitesOf({ document }: PolicyVersion): ReadonlyMap<string, string> {
  return new Map(document.regions.map((region) => [region.id, sitesText(region)]));
}

async function writeJson({ output }: Session, rows: readonly Row[]): Promise<void> {
  for (const { country, before, after, from, until, stored } of rows)
    await output.json({
      country,
      before,
      after,
      from: instantJson(from),
      until: instantJson(until),
      ...defined({ stored }),
    });
}

const NOWHERE = '(unknown: quarantined)';

async function writeText(
  { output }: Session,
  { before, after }: Readonly<Record<'before' | 'after', PolicyVersion>>,
  rows: readonly Row[],
): Promise<void> {
  const countries = new Set(rows.map(({ country }) => country)).size;
  if (rows.length > 0) {
    await output.lines(
      table(
        ['country', 'from', 'until', nameOf(before), nameOf(after), 'stored elsewhere', 'bytes'],
        rows.map((row) => [
          row.country,
          instantText(row.from),
          instantText(row.until),
          row.before ?? NOWHERE,
          row.after ?? NOWHERE,
          row.stored?.samples ?? 'not asked',
          row.stored === undefined ? '' : bytesText(row.stored.bytes),
        ]),
      ),
    );
  }
  await output.line(
    `${countries === 0 ? 'No country moves' : `${countries} ${countries === 1 ? 'country moves' : 'countries move'}`} from ${nameOf(before)} (${before.digest}) to ${nameOf(after)} (${after.digest}). Stored samples stay where they are.`,
  );
  if (rows.length > 0 && rows[0]?.stored === undefined)
    output.note(
      'How many stored samples that concerns was not asked: name a system with --data or --config.',
    );
}
