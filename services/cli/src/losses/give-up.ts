import { randomUUID } from 'node:crypto';
import { codeOf } from '@residency/coded-error';
import { LOSS_ACCEPTED, NAMED_IN_ORDER } from '@residency/contracts';
import type { ControlEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import { inParts, namedBy, namesOf, requireOneOf, sorted } from '../erasure/named.ts';
import { withSystem } from '../opening/with-system.ts';
import { lostByRepair } from '../sites/repair-report.ts';
import { waitForCopies } from '../sites/wait-for-copies.ts';
import { controlEvent, record } from '../system/control.ts';
import type { System } from '../system/system.ts';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { planChanged } from '../terminal/plan-changed.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';
import { askedBefore } from './asked-before.ts';
import { endClaims } from './end-claims.ts';
import { printResults } from './list-losses.ts';
import { planLoss } from './loss-plan.ts';
import type { LossPlan } from './loss-plan.ts';
import { printLossPlan } from './print-loss-plan.ts';
import { readLosses } from './read-losses.ts';
import type { FollowedLoss } from './read-losses.ts';

type Options = Common & {
  readonly submission?: readonly string[];
  readonly from?: string;
  readonly order?: string;
  readonly region?: string;
  readonly reason: string;
  readonly yes?: string;
  readonly wait: boolean;
};

/** Plans to give samples up, or with `--yes` orders it and waits for it. */
export async function giveUp(session: Session, options: Options): Promise<ExitCode> {
  const { submission, from, order: repair, region, reason, yes, json } = options;
  requireOneOf({ submission, from, order: repair });
  const asked = repair === undefined ? namesOf(await namedBy(defined({ submission, from }))) : [];
  // Refuses a reason that could not be read back.
  controlEvent(session, orderOf(['0'.repeat(64)], 'any', reason));
  return await withSystem(session, options, async (system) => {
    const found = repair === undefined ? undefined : await unrepaired(session, system, repair);
    const plan = await planLoss(
      session,
      system,
      found?.submissions ?? asked,
      region ?? found?.region,
    );
    if (yes === undefined) {
      await printLossPlan(session, json, plan);
      return EXIT.done;
    }
    if (yes !== plan.digest) throw planChanged();
    const acts = await order(session, system, plan, reason);
    if (options.wait) return await waitFor(session, system, { plan, acts, json });
    await printActs(session, json, acts);
    session.output.note(
      'Repeat the command without --no-wait once the orders are carried out: it then ends the claims of lost samples, so that their identities are free.',
    );
    return EXIT.done;
  });
}

async function unrepaired(
  session: Session,
  system: System,
  act: string,
): Promise<{ readonly region: string; readonly submissions: readonly string[] }> {
  const { region, submissions } = await lostByRepair(session, system, act);
  if (submissions.length === 0)
    throw usage(
      'Expected --order to name a repair that found samples without a good copy (NO_GOOD_COPY), found none in its report; nothing was ordered. See `residency site repairs --report ORDER`.',
    );
  return { region, submissions: sorted(submissions) };
}

/** Orders what no open order still gives up. Returns the orders to wait for. */
async function order(
  session: Session,
  system: System,
  { samples }: LossPlan,
  reason: string,
): Promise<readonly string[]> {
  const acts: string[] = [];
  const losses = await readLosses(session, system);
  const wanted = samples.filter(({ state }) => state === 'to be given up');
  for (const [region, some = []] of Object.entries(
    Object.groupBy(wanted, (sample) => sample.region),
  )) {
    const { acts: before, rest } = askedBefore(some, losses);
    acts.push(...before);
    for (const part of inParts({ submissions: rest }, NAMED_IN_ORDER)) {
      const event = orderOf(namesOf(part), region, reason);
      await record(session, system, event);
      acts.push(event.data.act);
    }
  }
  return acts;
}

type Order = Extract<ControlEvent, { readonly type: typeof LOSS_ACCEPTED }>;

function orderOf(submissions: readonly string[], region: string, reason: string): Order {
  return {
    type: LOSS_ACCEPTED,
    data: { act: randomUUID(), reason, region, submissions: [...submissions] },
  };
}

/** Waits for the orders, ends the claims of what is lost, and prints what came of each sample. */
async function waitFor(
  session: Session,
  system: System,
  {
    plan,
    acts,
    json,
  }: { readonly plan: LossPlan; readonly acts: readonly string[]; readonly json: boolean },
): Promise<ExitCode> {
  const followed = await waitUntilClosed(session, system, acts);
  const results = followed.flatMap((one) => one.results);
  const isLost = new Set(
    results.filter(({ state }) => state === 'lost').map(({ position }) => position),
  );
  const lost = plan.samples.filter(
    ({ state, position }) => state === 'lost' || isLost.has(position),
  );
  const ended = await endClaims(session, system, lost);
  await printResults(session, json, followed);
  const notLost = plan.samples.length - lost.length;
  await (json
    ? session.output.json({ lost: lost.length, notLost, claimsEnded: ended })
    : session.output.line(
        `Lost: ${counted(lost.length, 'sample')}. Not given up: ${notLost}. Claims that ended: ${ended}.`,
      ));
  return notLost === 0 ? EXIT.done : EXIT.found;
}

async function waitUntilClosed(
  session: Session,
  system: System,
  acts: readonly string[],
): Promise<readonly FollowedLoss[]> {
  if (acts.length === 0) return [];
  try {
    return await waitForCopies(session, 'Samples looked for', async () => {
      const all = await readLosses(session, system);
      const followed = all.filter((one) => acts.includes(one.order.act));
      return {
        done: followed.reduce((sum, { results }) => sum + results.length, 0),
        ...defined({
          ended: followed.every(({ closedAt }) => closedAt !== undefined) ? followed : undefined,
        }),
      };
    });
  } catch (error) {
    if (codeOf(error) === 'INTERRUPTED')
      session.output.note(
        'The order stands, and the custodian carries it out once every site answers. Repeat the command to wait for it.',
      );
    throw error;
  }
}

async function printActs(
  { output }: Session,
  json: boolean,
  acts: readonly string[],
): Promise<void> {
  for (const act of acts)
    await (json
      ? output.json({ order: act })
      : output.line(
          `Order ${act}: \`residency audit losses --order ${act}\` shows what became of it.`,
        ));
  if (acts.length === 0) output.note('All of it was given up or erased before.');
}
