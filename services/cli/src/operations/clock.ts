import { CLOCK_ACCEPTED } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { controlEvent } from '../system/control.ts';
import { requireDataDirectory } from '../opening/require-data-directory.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { withData } from '../opening/with-data.ts';
import { refuseConfig } from '../opening/with-system.ts';

export async function accept(session: Session, options: Common): Promise<ExitCode> {
  refuseConfig(options, "on a cluster the brokers' clocks stamp records.");
  await requireDataDirectory(options);
  return await withData(options, async ({ log }) => {
    const { state, now, lastAt } = await log.clock();
    if (state !== 'ahead')
      throw usage(
        `Expected a clock that is far ahead of the log, found ${state === 'right' ? 'one that the log takes' : 'the log ahead of it'}; nothing was changed.`,
      );
    const [clock, lastAppend] = [formatInstant(now), formatInstant(lastAt)];
    await log.acceptClock(
      controlEvent(session, { type: CLOCK_ACCEPTED, data: { clock, lastAppend } }),
    );
    if (options.json) await session.output.json({ clock, lastAppend });
    else
      await session.output.line(`The log goes on at ${clock}; its last append was ${lastAppend}.`);
    return EXIT.done;
  });
}
