import { ROUTING_PAUSED, ROUTING_RESUMED } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import type { Command } from 'commander';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { controlEvent, controlJson, controlOf } from '../control.ts';
import { demandThere } from '../demand-there.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printable } from '../output.ts';
import type { Session } from '../session.ts';
import { withSystem } from '../with-system.ts';

type Pause = Common & { readonly reason: string };

export function pauseCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'pause',
    'Routers settle nothing more until `residency resume`, also across restarts. What they have in hand settles, the intake goes on taking: what it takes waits.',
    [
      'pause --reason "zrh-1 is moved to other disks" --config cluster.env',
      'pause --reason "looking into a wrong placement"',
    ],
  )
    .summary('Routers settle nothing more until `residency resume`, also across restarts.')
    .requiredOption(
      '--reason <text>',
      'why, for whoever finds it paused; 1 to 200 characters, nothing personal: it is kept',
    )
    .action(answering(answer, (options: Pause) => pause(session, options)));
}

export function resumeCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'resume',
    'End a pause or a draining: routers settle and the intake takes submissions again.',
    ['resume --config cluster.env', 'resume'],
  ).action(answering(answer, (options: Common) => resume(session, options)));
}

async function pause(session: Session, options: Pause): Promise<ExitCode> {
  const entry = controlEvent({ type: ROUTING_PAUSED, data: { reason: options.reason } });
  await demandThere(options);
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

async function resume(session: Session, options: Common): Promise<ExitCode> {
  await demandThere(options);
  return await withSystem(session, options, async (system) => {
    const before = await controlOf(system);
    if (before.mode === 'running')
      return await said(
        session,
        options,
        before,
        'Nothing is paused or draining; nothing was changed.',
      );
    await system.append([controlEvent({ type: ROUTING_RESUMED, data: {} })]);
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
