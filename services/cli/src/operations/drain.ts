import { defined } from '@residency/defined';
import { codeOf, remedyOf } from '@residency/coded-error';
import { INTAKE_DRAINING } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import { pause } from '@residency/waiting';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { controlEvent } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { counted } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';

interface Options extends Common {
  readonly reason: string;
  readonly timeout?: number;
}

/**
 * An intake follows the control log within that time, and what it took meanwhile is seen by the
 * second look.
 */
const LOOK_EVERY_MS = 1_000;
const SAY_EVERY_MS = 5_000;

export async function drain(session: Session, options: Options): Promise<ExitCode> {
  const entry = controlEvent(session, { type: INTAKE_DRAINING, data: { reason: options.reason } });
  return await withSystem(session, options, async (system) => {
    const { mode } = await controlOf(system);
    if (mode === 'paused')
      throw usage(
        'Expected routing not to be paused, because what waits would wait on, found it paused; `residency resume` first.',
      );
    await system.append([entry]);
    session.output.note('Draining: the intake refuses submissions until `residency resume`.');
    return await report(session, options, await wait(session, options, system));
  });
}

interface End {
  readonly drained: boolean;
  /** How many records are not settled, by partition; those with none left out. */
  readonly waiting: ReadonlyMap<number, bigint>;
  /** The mode that another command set, which ended the draining. */
  readonly ended?: 'running' | 'paused';
}

async function wait(session: Session, { timeout }: Options, system: System): Promise<End> {
  const control = await system.controlView();
  const deadline = performance.now() + (timeout ?? Infinity) * 1_000;
  let empty = 0;
  let saidAt = -Infinity;
  for (;;) {
    await pause(LOOK_EVERY_MS, session.signal);
    checkInterrupted(session);
    const state = await readState(system, control).catch((error: unknown) =>
      unreadable(session, error, performance.now() < deadline),
    );
    if (state === undefined) {
      empty = 0;
      continue;
    }
    const { waiting, mode } = state;
    if (mode !== 'draining') return { drained: false, waiting, ended: mode };
    empty = waiting.size === 0 ? empty + 1 : 0;
    if (empty === 2) return { drained: true, waiting };
    if (performance.now() >= deadline) return { drained: false, waiting };
    if (waiting.size > 0 && performance.now() - saidAt >= SAY_EVERY_MS) {
      session.output.note(`${sentence(waiting)} not settled yet.`);
      saidAt = performance.now();
    }
  }
}

async function readState(
  system: System,
  control: ControlView,
): Promise<Pick<End, 'waiting'> & { readonly mode: ControlState['mode'] }> {
  const waiting = new Map([...(await system.unsettled())].filter(([, count]) => count > 0n));
  return { waiting, mode: (await control.read()).mode };
}

/** A transient failure does not end the wait. */
function unreadable({ output }: Session, error: unknown, inTime: boolean): undefined {
  if (!inTime || remedyOf(error) !== 'retry') throw error;
  output.note(
    `The number of waiting records is unknown now (${codeOf(error) ?? 'unknown'}); it is read again.`,
  );
}

async function report(
  { output }: Session,
  { json }: Options,
  { drained, waiting, ended }: End,
): Promise<ExitCode> {
  if (json)
    await output.json({
      drained,
      unsettled: Number(totalOf(waiting)),
      partitions: Object.fromEntries(
        [...waiting].map(([partition, count]) => [partition, Number(count)]),
      ),
      ...defined({ ended }),
    });
  else if (drained)
    await output.line(
      'Drained: nothing waits. The intake refuses submissions until `residency resume`.',
    );
  else if (ended !== undefined)
    await output.line(
      `Not drained: somebody ended the draining, ${ended === 'paused' ? 'routing is paused' : 'routing was resumed'}; \`residency audit list --control\` shows it.`,
    );
  else if (waiting.size === 0)
    await output.line(
      'Not drained in time: at the last look nothing waited, but records had come before; drain again.',
    );
  else
    await output.line(
      `Not drained in time: ${sentence(waiting)} not settled, in ${counted(waiting.size, 'partition')} (${[...waiting].map(([partition, count]) => `${partition}: ${count}`).join(', ')}). \`residency status\` shows why; the intake goes on refusing until \`residency resume\`.`,
    );
  return drained ? EXIT.done : EXIT.found;
}

function sentence(waiting: End['waiting']): string {
  const total = Number(totalOf(waiting));
  return `${counted(total, 'record')} ${total === 1 ? 'is' : 'are'}`;
}

function totalOf(waiting: End['waiting']): bigint {
  return [...waiting.values()].reduce((sum, count) => sum + count, 0n);
}
