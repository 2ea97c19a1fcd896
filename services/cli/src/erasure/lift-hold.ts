import { randomUUID } from 'node:crypto';
import { HOLD_LIFTED } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import { controlEvent, record } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { requireAct } from './require-act.ts';

/** Throws `HOLD_UNKNOWN` and `HOLD_LIFTED_ALREADY`, and appends nothing then. */
export async function liftHold(
  session: Session,
  options: Common & { readonly reason: string },
  hold: string,
): Promise<ExitCode> {
  requireAct(hold, 'hold');
  const event = {
    type: HOLD_LIFTED,
    data: { act: randomUUID(), hold, reason: options.reason },
  } as const;
  // Refuses a reason that could not be read back.
  controlEvent(session, event);
  return await withSystem(session, options, async (system) => {
    const { erasures } = await controlOf(system);
    const found = erasures?.holds.find(({ act }) => act === hold);
    if (found === undefined)
      throw new CliError({
        code: 'HOLD_UNKNOWN',
        message:
          'Expected the id of a hold, found none with it; nothing was changed. See `residency hold list`.',
        remedy: 'stop',
      });
    if (found.liftedAt !== undefined)
      throw new CliError({
        code: 'HOLD_LIFTED_ALREADY',
        message: `Expected an open hold, found that it was lifted at ${formatInstant(found.liftedAt)}; nothing was changed.`,
        remedy: 'stop',
      });
    await record(session, system, event);
    await (options.json
      ? session.output.json({ hold, lifted: true })
      : session.output.line(
          `Hold ${hold} is lifted. What was ordered to be erased is erased now, unless another hold is on it.`,
        ));
    return EXIT.done;
  });
}
