import type { ControlState } from '@residency/contracts';
import { OUTCOME_WITHIN_SECONDS } from '@residency/telemetry';
import type { IntakeLook, PolicyLook, SystemLook, ViewLook } from './look.ts';
import { servicesLook } from './services-look.ts';
import type { Scrapes, ServicesLook } from './services-look.ts';
import { toldOf } from './told.ts';
import type { Told } from './told.ts';

/** Everything that one look sees. `system` absent: only services were asked. */
export interface Look {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly system?: SystemLook;
  readonly scrapes: Scrapes;
}

export interface Flow {
  readonly appendedPerSecond: number;
  readonly settledPerSecond: number;
}

export interface StatusReport {
  readonly at: number;
  readonly system?: SystemLook;
  /** Between the two looks; absent where one of them could not be taken. */
  readonly flow?: Flow;
  readonly services: ServicesLook;
  /** What a person should see to, as sentences; empty: nothing. */
  readonly wrong: readonly string[];
  /** Nothing at all could be asked. */
  readonly blind: boolean;
}

/** Ticks come every 250 ms and a view is read within seconds: one that is this far behind holds up routing. */
export const STALE_MS = 30_000;

export function statusReport(before: Look, after: Look): StatusReport {
  const { at, system, scrapes } = after;
  const services = servicesLook(before.scrapes, scrapes, at);
  const flow = flowOf(toldOf(before.system?.intake), toldOf(system?.intake));
  const asked: readonly Told<unknown>[] = [
    ...scrapes.values(),
    ...(system === undefined
      ? []
      : [
          system.control,
          system.intake,
          system.policy,
          ...(system.consents === undefined ? [] : [system.consents]),
        ]),
  ];
  return {
    at,
    services,
    ...(system === undefined ? {} : { system }),
    ...(flow === undefined ? {} : { flow }),
    wrong: [...(system === undefined ? [] : wrongInSystem(system, at)), ...wrongServices(services)],
    blind: asked.every((one) => 'failure' in one),
  };
}

function flowOf(before: IntakeLook | undefined, after: IntakeLook | undefined): Flow | undefined {
  if (before === undefined || after === undefined) return undefined;
  const seconds = Math.max(0.001, (after.at - before.at) / 1_000);
  const perSecond = (from: bigint, to: bigint): number => Math.max(0, Number(to - from) / seconds);
  return {
    appendedPerSecond: perSecond(before.appended, after.appended),
    settledPerSecond: perSecond(before.settled, after.settled),
  };
}

function wrongInSystem({ control, intake, consents, policy }: SystemLook, at: number): string[] {
  return [
    ...told(control, 'the control log', pausedIn),
    ...told(intake, 'the intake log', (look) => [...lostIn(look), ...lateIn(look, at)]),
    ...(consents === undefined
      ? []
      : told(consents, 'the consent view', (view) =>
          staleIn(view, 'consent view', 'the consent projector'),
        )),
    ...told(policy, 'the policy log', (view) => [
      ...staleIn(view, 'policy log', 'the consent projector, which ticks'),
      ...noneIn(view),
    ]),
  ];
}

function told<T>(
  one: Told<T>,
  what: string,
  wrong: (value: T) => readonly string[],
): readonly string[] {
  return 'failure' in one ? [`${what} can not be read: ${one.failure}`] : wrong(one.told);
}

function pausedIn({ mode }: ControlState): string[] {
  return mode === 'paused' ? ['routing is paused; `residency resume` ends it'] : [];
}

function lostIn({ lost }: IntakeLook): string[] {
  return lost.length === 0
    ? []
    : [
        `progress is lost in partition ${lost.join(', ')}: the first unsettled offset lies outside the log`,
      ];
}

/** Later than the objective, whatever else is well: samples do not flow. */
function lateIn({ oldestAt = Infinity }: IntakeLook, at: number): string[] {
  return at - oldestAt > OUTCOME_WITHIN_SECONDS * 1_000
    ? [
        `the first unsettled record has waited for ${Math.round((at - oldestAt) / 1_000)} s; the objective is ${OUTCOME_WITHIN_SECONDS} s`,
      ]
    : [];
}

function staleIn({ behindMs = 0, halted }: ViewLook, view: string, who: string): string[] {
  if (halted === true)
    return [`the ${view} is halted, because append time went back: routing waits`];
  return behindMs > STALE_MS
    ? [
        `the ${view} is ${Math.round(behindMs / 1_000)} s behind, and routing waits for it: see ${who}`,
      ]
    : [];
}

function noneIn({ inForce }: PolicyLook): string[] {
  return inForce === undefined ? ['no policy version is in force'] : [];
}

function wrongServices({ services }: ServicesLook): string[] {
  return services
    .filter(({ ready }) => !ready)
    .map(
      ({ service, url, waits }) =>
        `${service ?? 'a service'} at ${url} is not ready: ${waits.join(', ')}`,
    );
}
