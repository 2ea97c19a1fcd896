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
import type { System } from '../system/system.ts';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { planChanged } from '../terminal/plan-changed.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';
import { countErased } from './erasable-samples.ts';
import { planDetails, planErasure } from './erasure-plan.ts';
import type { ErasurePlan } from './erasure-plan.ts';
import { consentsOfSubject, requireGiven, withdrawals } from './erasable-consents.ts';
import { inParts, namedBy, namesOf, requireOneOf } from './named.ts';
import type { Named, NamingOptions } from './named.ts';
import { printPlan } from './print-plan.ts';

type Options = Common &
  NamingOptions & {
    readonly subject?: string;
    readonly region?: string;
    readonly reason: string;
    readonly yes?: string;
    readonly wait: boolean;
  };

/** The append time of each consent's last withdrawal, milliseconds. */
type Before = ReadonlyMap<string, number>;

/** Plans an erasure, or with `--yes` orders it and waits for it. */
export async function erase(session: Session, options: Options): Promise<ExitCode> {
  const { subject, region, reason, yes, json } = options;
  const { submission, from, consent } = options;
  requireOneOf({ submission, from, consent, subject });
  if (subject !== undefined && reason.includes(subject))
    throw usage(
      'Expected --reason without the subject, found it there; nothing was ordered. The reason is recorded for ever: name a ticket.',
    );
  const asked = subject === undefined ? await namedBy(options) : undefined;
  // Refuses a reason that could not be read back.
  controlEvent(session, orderOf({ submissions: ['0'.repeat(64)] }, { before: new Map(), reason }));
  return await withSystem(session, options, async (system) => {
    const named = asked ?? { consents: await consentsOfSubject(session, system, subject ?? '') };
    if ('consents' in named && asked !== undefined) await requireGiven(system, named.consents);
    const before = await withdrawals(system, 'consents' in named ? named.consents : []);
    const plan = await planErasure(session, system, named, before, region);
    if (yes === undefined) {
      await printPlan(session, json, named, plan, await planDetails(session, system, plan));
      return EXIT.done;
    }
    if (yes !== plan.digest) throw planChanged();
    await order(session, system, { named, before, region, reason, json, plan });
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
    if (held > 0) throw onHold(held);
    return EXIT.done;
  });
}

/** Orders what no earlier order names. Prints the orders. */
async function order(
  session: Session,
  system: System,
  {
    named,
    before,
    region,
    reason,
    json,
    plan,
  }: {
    readonly named: Named;
    readonly before: Before;
    readonly region: string | undefined;
    readonly reason: string;
    readonly json: boolean;
    readonly plan: ErasurePlan;
  },
): Promise<void> {
  const { erasures = NO_ERASURES } = await controlOf(system);
  const wanted =
    'submissions' in named
      ? { submissions: unordered(erasures, named.submissions, plan) }
      : { consents: unreached(erasures, named.consents, before, region) };
  const { output } = session;
  for (const part of inParts(wanted, NAMED_IN_ORDER)) {
    const event = orderOf(part, { before, region, reason });
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

/** The submissions with a sample that no earlier order is about. */
function unordered(
  erasures: Erasures,
  submissions: readonly string[],
  { samples }: ErasurePlan,
): readonly string[] {
  const index = new ErasureIndex(erasures);
  const open = new Set(
    [...samples.values()]
      .filter((sample) => index.orderOf(sample) === undefined)
      .map(({ submission }) => submission),
  );
  return submissions.filter((submission) => open.has(submission));
}

/** The consents whose earlier orders, if any, all end before this one would. */
function unreached(
  { orders }: Erasures,
  consents: readonly string[],
  before: Before,
  region: string | undefined,
): readonly string[] {
  const reached = new Map<string, number>();
  for (const { consentId, before: end } of orders
    .filter((one) => one.region === undefined || one.region === region)
    .flatMap((one) => one.consents))
    reached.set(consentId, Math.max(reached.get(consentId) ?? -Infinity, Date.parse(end)));
  return consents.filter(
    (consent) => (reached.get(consent) ?? -Infinity) < (before.get(consent) ?? -Infinity),
  );
}

type Order = Extract<ControlEvent, { readonly type: typeof ERASURE_ORDERED }>;

function orderOf(
  named: Named,
  {
    before,
    region,
    reason,
  }: { readonly before: Before; readonly region?: string | undefined; readonly reason: string },
): Order {
  const common = { act: randomUUID(), reason, ...defined({ region }) };
  return {
    type: ERASURE_ORDERED,
    data:
      'submissions' in named
        ? { ...common, submissions: [...named.submissions] }
        : {
            ...common,
            consents: named.consents.map((consentId) => ({
              consentId,
              before: formatInstant(before.get(consentId) ?? 0),
            })),
          },
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
      const { erased, held } = await countErased(session, system, samples);
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

function onHold(held: number): CliError {
  return new CliError({
    code: 'ON_HOLD',
    message: `Expected no hold on what is ordered, found ${counted(held, 'sample')} on hold. The order stands: what is on hold is erased once each hold on it is lifted. See \`residency hold list\`.`,
    remedy: 'stop',
  });
}
