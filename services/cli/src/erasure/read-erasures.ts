import {
  ERASURE_ORDERED,
  HOLD_LIFTED,
  HOLD_PLACED,
  INITIAL_CONTROL,
  NO_ERASURES,
  controlEventIn,
  evolveControl,
} from '@residency/contracts';
import type { ControlState, Erasures } from '@residency/contracts';
import type { System } from '../system/system.ts';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';

/** Who did something, and why. */
export interface Doer {
  readonly by?: string | undefined;
  readonly reason: string;
}

export interface ReadErasures {
  readonly control: ControlState;
  readonly erasures: Erasures;
  /** Who placed or ordered, by act. */
  readonly doers: ReadonlyMap<string, Doer>;
  /** Who lifted, by the hold's act. */
  readonly lifters: ReadonlyMap<string, Doer>;
}

/** Orders and holds with who made them. What is no control event, `audit list --control` names. */
export async function readErasures(session: Session, system: System): Promise<ReadErasures> {
  let control = INITIAL_CONTROL;
  const doers = new Map<string, Doer>();
  const lifters = new Map<string, Doer>();
  for await (const one of interruptible(session, system.controlLog())) {
    const event = controlEventIn(one);
    if (event === undefined) continue;
    control = evolveControl(control, event, one.at);
    const { type, principal: by, data } = event;
    if (type === ERASURE_ORDERED || type === HOLD_PLACED)
      first(doers, data.act, { by, reason: data.reason });
    if (type === HOLD_LIFTED) first(lifters, data.hold, { by, reason: data.reason });
  }
  return { control, erasures: control.erasures ?? NO_ERASURES, doers, lifters };
}

/** The first event of an act counts. */
function first(all: Map<string, Doer>, act: string, doer: Doer): void {
  if (!all.has(act)) all.set(act, doer);
}
