import { QUARANTINE_CLOSED, parsePosition } from '@residency/contracts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { controlEvent } from '../system/control.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import { quarantineBook } from './quarantine-book.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & { readonly reason: string };

/** Said twice it changes nothing. */
export async function close(
  session: Session,
  { json, reason, ...where }: Options,
  position: string,
): Promise<ExitCode> {
  const { output } = session;
  parsePosition(position);
  const entry = controlEvent(session, { type: QUARANTINE_CLOSED, data: { position, reason } });
  return await withSystem(session, where, async (system) => {
    const found = (await quarantineBook(session, system)).find(
      ({ pointer }) => pointer.position === position,
    );
    if (found === undefined)
      throw new CliError({
        code: 'NOT_THERE',
        message:
          'Expected the position of a quarantined record, found none there; `residency quarantine list` names them.',
        remedy: 'stop',
      });
    if (found.state === 'open') await system.append([entry]);
    const state = found.state === 'redriven' ? 'redriven' : 'closed';
    if (json) await output.json({ position, state, changed: found.state === 'open' });
    else if (found.state === 'open') await output.line(`${position} closed`);
    if (found.state === 'redriven')
      output.note(
        `It was redriven at ${found.redriven?.position}, so it is not open; nothing was changed.`,
      );
    if (found.state === 'closed')
      output.note(
        `It was closed before: ${printable(found.closed?.reason ?? '')}; nothing was changed.`,
      );
    return EXIT.done;
  });
}
