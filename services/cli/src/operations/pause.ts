import { ROUTING_PAUSED, ROUTING_RESUMED } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { controlEvent, controlJson } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

type Pause = Common & { readonly reason: string };

export async function pause(session: Session, options: Pause): Promise<ExitCode> {
  const entry = controlEvent(session, { type: ROUTING_PAUSED, data: { reason: options.reason } });
  return await withSystem(session, options, async (system) => {
    const before = await controlOf(system);
    await system.append([entry]);
    const wasDraining =
      before.mode === 'draining'
        ? ' The draining is over: the intake takes submissions again.'
        : '';
    return await said(
      session,
      options,
      await controlOf(system),
      `Routing is paused. Routers settle what they have in hand, and nothing more until \`residency resume\`; what is published waits.${wasDraining}`,
    );
  });
}

export async function resume(session: Session, options: Common): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const before = await controlOf(system);
    if (before.mode === 'running')
      return await said(
        session,
        options,
        before,
        'Nothing is paused or draining; nothing was changed.',
      );
    await system.append([controlEvent(session, { type: ROUTING_RESUMED, data: {} })]);
    const ended = `${before.mode === 'paused' ? 'The pause' : 'The draining'} since ${formatInstant(before.since ?? 0)} (${printable(before.reason ?? '')}) is over.`;
    return await said(
      session,
      options,
      await controlOf(system),
      `${ended} Routers settle and the intake takes submissions, within a second; \`residency status\` shows it.`,
    );
  });
}

async function said(
  { output }: Session,
  { json }: Common,
  state: ControlState,
  sentence: string,
): Promise<ExitCode> {
  await (json ? output.json(controlJson(state)) : output.line(sentence));
  return EXIT.done;
}
