import { RECORD_SET_ASIDE, formatPosition, parsePosition } from '@residency/contracts';
import type { Position } from '@residency/contracts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { controlEvent } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & { readonly reason: string };

export async function setAside(
  session: Session,
  options: Options,
  text: string,
): Promise<ExitCode> {
  const position = parsePosition(text);
  const entry = controlEvent(session, {
    type: RECORD_SET_ASIDE,
    data: { position: text, reason: options.reason },
  });
  return await withSystem(session, options, async (system) => {
    await requireFirstUnsettled(system, position);
    const known = (await controlOf(system)).setAside?.includes(text) === true;
    if (!known) await system.append([entry]);
    const sentence = known
      ? `${text} was set aside before; nothing was changed.`
      : `${text} is set aside: routers quarantine it at their next attempt, if it still blocks its partition and no site holds bytes of it. \`residency quarantine list\` shows it then.`;
    await (options.json
      ? session.output.json({ position: text, changed: !known })
      : session.output.line(sentence));
    return EXIT.done;
  });
}

/**
 * A record that blocks is the first of its partition that is not settled; any other needs nothing.
 */
async function requireFirstUnsettled(system: System, position: Position): Promise<void> {
  if ((await system.recordAt(position)) !== undefined) {
    for await (const { partition, offset } of system.waiting()) {
      if (partition !== position.partition) continue;
      if (offset === position.offset) return;
      break;
    }
  }
  throw new CliError({
    code: 'NOT_THERE',
    message: `Expected the position of a record that blocks its partition, found that ${formatPosition(position)} is settled, is not the first unsettled one, or is not in this log; nothing was changed. \`residency status\` names those that block.`,
    remedy: 'stop',
  });
}
