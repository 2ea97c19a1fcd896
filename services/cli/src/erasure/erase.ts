import { randomUUID } from 'node:crypto';
import { codeOf } from '@residency/coded-error';
import { ERASURE_ORDERED, ErasureIndex, NAMED_IN_ORDER, NO_ERASURES } from '@residency/contracts';
import type { ControlEvent, Erasures } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import { waitForCopies } from '../sites/wait-for-copies.ts';
import { controlEvent, record } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { regionSites } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';
import { custodyOf, heldBy, isErased, regionsOf } from './erasable-samples.ts';
import { planErasure } from './erasure-plan.ts';
import type { ErasurePlan } from './erasure-plan.ts';
import { consentsOfSubject, requireGiven, requireWithdrawn } from './erasable-consents.ts';
import { inParts, namedBy, namesOf, requireOneOf } from './named.ts';
import type { Named, NamingOptions } from './named.ts';
import { printPlan } from './print-plan.ts';

type Options = Common &
  NamingOptions & {
    readonly subject?: string;
    readonly reason: string;
    readonly yes?: string;
    readonly wait: boolean;
  };

/** Plans an erasure, or with `--yes` orders it and waits for it. */
export async function erase(session: Session, options: Options): Promise<ExitCode> {
  const { subject, reason, yes, json } = options;
  const { submission, from, consent } = options;
  requireOneOf({ submission, from, consent, subject });
  if (subject !== undefined && reason.includes(subject))
    throw usage(
      'Expected --reason without the subject, found it there; nothing was ordered. The reason is recorded for ever: name a ticket.',
    );
  const asked = subject === undefined ? await namedBy(options) : undefined;
  // Refuses a reason that could not be read back.
  controlEvent(session, orderOf({ submissions: ['0'.repeat(64)] }, reason, ''));
  return await withSystem(session, options, async (system) => {
    const named = asked ?? { consents: await consentsOfSubject(session, system, subject ?? '') };
    if ('consents' in named) {
      if (asked !== undefined) await requireGiven(system, named.consents);
      await requireWithdrawn(system, named.consents);
    }
    const plan = await planErasure(session, system, named);
    if (yes === undefined) {
      await printPlan(session, json, plan, named);
      return EXIT.done;
    }
    if (yes !== plan.digest) throw planChanged();
    await order(session, system, { named, reason, json, plan });
    if (!options.wait) {
      if (subject !== undefined) noteLinks(session);
      return EXIT.done;
    }
    const { erased, held } = await waitUntilErased(session, system, plan);
    if (subject !== undefined) {
      if (held === 0) await system.forgetSubjects(namesOf(named));
      else noteLinks(session);
    }
    await (json
      ? session.output.json({ erased, held })
      : session.output.line(`Erased: ${counted(erased, 'sample')}. On hold: ${held}.`));
    return EXIT.done;
  });
}

/** Orders what no earlier order names. Prints the orders. */
async function order(
  session: Session,
  system: System,
  {
    named,
    reason,
    json,
    plan,
  }: {
    readonly named: Named;
    readonly reason: string;
    readonly json: boolean;
    readonly plan: ErasurePlan;
  },
): Promise<void> {
  const { erasures = NO_ERASURES } = await controlOf(system);
  const wanted = unordered(erasures, named, plan);
  // A broker's clock may be ahead of this one.
  const newest = [...plan.samples.values()].reduce((most, { at }) => Math.max(most, at + 1), 0);
  const before = formatInstant(Math.max(session.now(), newest));
  const { output } = session;
  for (const part of inParts(wanted, NAMED_IN_ORDER)) {
    const event = orderOf(part, reason, before);
    await record(session, system, event);
    const { act } = event.data;
    await (json
      ? output.json({ order: act, named: namesOf(part).length })
      : output.line(
          `Order ${act}: \`residency audit erasures --order ${act}\` shows what became of it.`,
        ));
  }
  if (namesOf(wanted).length === 0) output.note('All of it was ordered before.');
}

/** What an earlier order does not name yet. */
function unordered(erasures: Erasures, named: Named, { samples }: ErasurePlan): Named {
  const index = new ErasureIndex(erasures);
  const open = new Set(
    [...samples.values()]
      .filter((sample) => index.orderOf(sample) === undefined)
      .map(({ submission, consentId }) => ('submissions' in named ? submission : consentId)),
  );
  if ('submissions' in named)
    return { submissions: named.submissions.filter((one) => open.has(one)) };
  // A record of the consent may still wait, also if none is stored.
  const ordered = new Set(
    erasures.orders.flatMap(({ consents }) => consents.map(({ consentId }) => consentId)),
  );
  return { consents: named.consents.filter((one) => open.has(one) || !ordered.has(one)) };
}

type Order = Extract<ControlEvent, { readonly type: typeof ERASURE_ORDERED }>;

function orderOf(named: Named, reason: string, before: string): Order {
  const act = randomUUID();
  return {
    type: ERASURE_ORDERED,
    data:
      'submissions' in named
        ? { act, reason, submissions: [...named.submissions] }
        : { act, reason, consents: named.consents.map((consentId) => ({ consentId, before })) },
  };
}

/** What is on hold is not waited for. */
async function waitUntilErased(
  session: Session,
  system: System,
  { samples }: ErasurePlan,
): Promise<{ readonly erased: number; readonly held: number }> {
  try {
    return await waitForCopies(session, 'Samples erased', async () => {
      const control = await controlOf(system);
      const holds = new ErasureIndex(control.erasures);
      const sites = await regionSites(session, system, { control, regions: regionsOf(samples) });
      const custody = await custodyOf(session, system, samples);
      let [erased, held] = [0, 0];
      for (const [position, sample] of samples)
        if (isErased(heldBy(sample, custody.get(position)), sites.get(sample.stored.region)))
          erased += 1;
        else if (holds.holdOf(sample) !== undefined) held += 1;
      const total = samples.size - held;
      return {
        done: erased,
        total,
        ...defined({ ended: erased === total ? { erased, held } : undefined }),
      };
    });
  } catch (error) {
    if (codeOf(error) === 'INTERRUPTED')
      session.output.note(
        'The order stands, and the custodians carry it out. Repeat the command to wait for it.',
      );
    throw error;
  }
}

function noteLinks({ output }: Session): void {
  output.note(
    'The links to the subject are still there: they name its consents until all is erased. Repeat the command then.',
  );
}

function planChanged(): CliError {
  return new CliError({
    code: 'PLAN_CHANGED',
    message:
      'Expected --yes with the digest of the plan as it is now, found another; nothing was ordered. Look at the plan again: repeat the command without --yes.',
    remedy: 'stop',
  });
}
