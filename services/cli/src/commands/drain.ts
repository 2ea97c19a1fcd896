import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, remedyOf } from '@residency/coded-error';
import { INTAKE_DRAINING } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import type { Command } from 'commander';
import { usage } from '../cli-error.ts';
import { answering, describe, parseWhole } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { controlEvent, controlOf } from '../control.ts';
import { demandThere } from '../demand-there.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import type { System } from '../system.ts';
import { counted } from '../table.ts';
import { withSystem } from '../with-system.ts';

interface Options extends Common {
  readonly reason: string;
  readonly timeout?: number;
}

/** An intake follows the control log within that time, and what it took meanwhile is seen by the second look. */
const LOOK_EVERY_MS = 1_000;
const SAY_EVERY_MS = 5_000;

export function drainCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'drain',
    'The intake refuses submissions (503, publishers keep them) and routers settle what is there; ends once nothing waits, found so twice. Who publishes to Kafka directly is not stopped: stop those first. The intake stays draining until `residency resume`. Ends with 1 where --timeout ran out.',
    [
      'drain --reason "Kafka is upgraded" --config cluster.env',
      'drain --reason "the machine is moved" --timeout 600',
    ],
  )
    .summary(
      'Refuse submissions at the intake and wait until everything is settled; `resume` ends it.',
    )
    .requiredOption(
      '--reason <text>',
      'why, for whoever finds it draining; 1 to 200 characters, nothing personal: it is kept',
    )
    .option(
      '--timeout <seconds>',
      'how long to wait (default: as long as it takes)',
      parseWhole(1, 604_800),
    )
    .action(answering(answer, (options: Options) => drain(session, options)));
}

async function drain(session: Session, options: Options): Promise<ExitCode> {
  const entry = controlEvent({ type: INTAKE_DRAINING, data: { reason: options.reason } });
  await demandThere(options);
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
  /** It does not drain any more: somebody said something else. */
  readonly ended?: 'running' | 'paused';
}

async function wait(session: Session, { timeout }: Options, system: System): Promise<End> {
  const control = await system.controlView();
  const deadline = performance.now() + (timeout ?? Infinity) * 1_000;
  let empty = 0;
  let saidAt = -Infinity;
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: session.signal }).catch(() => undefined);
    checkInterrupted(session);
    const looked = await lookAt(system, control).catch((error: unknown) =>
      unlooked(session, error, performance.now() < deadline),
    );
    if (looked === undefined) {
      empty = 0;
      continue;
    }
    const { waiting, mode } = looked;
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

async function lookAt(
  system: System,
  control: ControlView,
): Promise<Pick<End, 'waiting'> & { readonly mode: ControlState['mode'] }> {
  const waiting = new Map([...(await system.unsettled())].filter(([, count]) => count > 0n));
  return { waiting, mode: (await control.read()).mode };
}

/** What passes by itself does not end the wait: it is what drains are for. */
function unlooked({ output }: Session, error: unknown, inTime: boolean): undefined {
  if (!inTime || remedyOf(error) !== 'retry') throw error;
  output.note(`What waits can not be told now (${codeOf(error) ?? 'unknown'}); it is asked again.`);
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
      ...(ended === undefined ? {} : { ended }),
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
