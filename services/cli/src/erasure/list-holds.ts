import type { Hold } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/table.ts';
import { namedText } from './named.ts';
import { readErasures } from './read-erasures.ts';
import type { ReadErasures } from './read-erasures.ts';

export async function listHolds(session: Session, options: Common): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const found = await readErasures(session, system);
    const { output } = session;
    const rows = found.erasures.holds.map((hold) => written(hold, found));
    if (options.json) for (const row of rows) await output.json(row);
    else if (rows.length === 0) output.note('There is no hold.');
    else
      await output.lines(
        table(
          ['hold', 'placed', 'by', 'on', 'lifted', 'reason'],
          rows.map(({ hold, at, by = '', submissions, consents, liftedAt = 'open', reason }) => [
            hold,
            at,
            printable(by),
            namedText(submissions.length > 0 ? { submissions } : { consents }),
            liftedAt,
            printable(reason),
          ]),
        ),
      );
    return EXIT.done;
  });
}

function written(
  { act, at, reason, submissions, consents, liftedAt }: Hold,
  { doers, lifters }: ReadErasures,
) {
  const lifter = liftedAt === undefined ? undefined : lifters.get(act);
  return {
    hold: act,
    at: formatInstant(at),
    ...defined({ by: doers.get(act)?.by }),
    reason,
    submissions,
    consents,
    ...(liftedAt === undefined ? {} : { liftedAt: formatInstant(liftedAt) }),
    ...defined({ liftedBy: lifter?.by, liftedBecause: lifter?.reason }),
  };
}
