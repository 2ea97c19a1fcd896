import { randomUUID } from 'node:crypto';
import { HOLD_PLACED, NAMED_IN_ORDER } from '@residency/contracts';
import type { ControlEvent } from '@residency/contracts';
import { withSystem } from '../opening/with-system.ts';
import { controlEvent, record } from '../system/control.ts';
import type { System } from '../system/system.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';
import { countErased, erasableSamples } from './erasable-samples.ts';
import { requireGiven } from './erasable-consents.ts';
import {
  inParts,
  isNamed,
  namedBy,
  namedText,
  namesOf,
  requireOneOf,
  requireStored,
} from './named.ts';
import type { Named, NamingOptions } from './named.ts';

type Options = Common & NamingOptions & { readonly reason: string };

export async function placeHold(session: Session, options: Options): Promise<ExitCode> {
  const { submission, from, consent, reason, json } = options;
  requireOneOf({ submission, from, consent });
  const named = await namedBy(options);
  // Refuses a reason that could not be read back.
  controlEvent(session, holdOf({ submissions: ['0'.repeat(64)] }, reason));
  return await withSystem(session, options, async (system) => {
    await place(session, system, { named, reason, json });
    return EXIT.done;
  });
}

/** Records the holds, and says how many samples had been erased by then. */
export async function place(
  session: Session,
  system: System,
  {
    named,
    reason,
    json,
  }: { readonly named: Named; readonly reason: string; readonly json: boolean },
): Promise<void> {
  if ('consents' in named) await requireGiven(system, named.consents);
  const samples = await erasableSamples(session, system, isNamed(named));
  requireStored(named, samples.values());
  const { output } = session;
  for (const part of inParts(named, NAMED_IN_ORDER)) {
    const event = holdOf(part, reason);
    await record(session, system, event);
    const { act } = event.data;
    await (json
      ? output.json({ hold: act, named: namesOf(part).length })
      : output.line(
          `Hold ${act} on ${namedText(part)}. End it with \`residency hold lift ${act}\`.`,
        ));
  }
  // Counted after the hold: a custodian erased until then.
  const { erased } = await countErased(session, system, samples);
  if (erased > 0) output.note(`${counted(erased, 'sample')} of them had been erased already.`);
}

function holdOf(
  named: Named,
  reason: string,
): Extract<ControlEvent, { readonly type: typeof HOLD_PLACED }> {
  const act = randomUUID();
  return {
    type: HOLD_PLACED,
    data:
      'submissions' in named
        ? { act, reason, submissions: [...named.submissions] }
        : { act, reason, consents: [...named.consents] },
  };
}
