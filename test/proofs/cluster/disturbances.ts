import type { SeededRandom } from '../seeded-random.ts';
import type { Ending } from './fleet.ts';

/** A disturbance of a running cluster. */
export type Disturbance =
  | {
      readonly kind: 'router' | 'broker' | 'projector';
      readonly signal: Ending;
      readonly pauseMs: number;
    }
  | { readonly kind: 'broker down'; readonly signal: Ending; readonly ms: number }
  | { readonly kind: 'router added' | 'router removed' }
  /**
   * A policy version that is effective `aheadMs` after its publication; routers end at these times
   * before and after that instant.
   */
  | {
      readonly kind: 'policy';
      readonly aheadMs: number;
      readonly bounces: readonly { readonly atMs: number; readonly signal: Ending }[];
    };

export interface ScriptOptions {
  /** How each bounced router ends. */
  readonly router: readonly Ending[];
  readonly broker: readonly Ending[];
  readonly projector: readonly Ending[];
  readonly brokerDownMs: number;
  /** True: a router is added, and one is removed later. */
  readonly resize: boolean;
  readonly policyChanges: number;
}

const ENDINGS: readonly Ending[] = ['SIGTERM', 'SIGKILL'];
const LONGEST_PAUSE_MS = 3_000;
const EFFECTIVE_AHEAD_MS = 8_000;
/** The greatest distance between the effective instant and the end of a router. */
const AROUND_MS = 3_000;

/** The disturbances of one run's cluster, in a seeded order. */
export function script(
  random: SeededRandom,
  { brokerDownMs, resize, policyChanges, ...bounced }: ScriptOptions,
): readonly Disturbance[] {
  const all: Disturbance[] = [
    ...(['router', 'broker', 'projector'] as const).flatMap((kind) =>
      bounced[kind].map((signal): Disturbance => ({
        kind,
        signal,
        pauseMs: random.below(LONGEST_PAUSE_MS),
      })),
    ),
    ...(brokerDownMs > 0
      ? [{ kind: 'broker down', signal: random.pick(ENDINGS), ms: brokerDownMs } as const]
      : []),
    ...Array.from({ length: policyChanges }, () => policyChange(random)),
    ...(resize ? [{ kind: 'router added' } as const, { kind: 'router removed' } as const] : []),
  ];
  return addedFirst(shuffled(random, all));
}

function policyChange(random: SeededRandom): Disturbance {
  const around = (): number => EFFECTIVE_AHEAD_MS - AROUND_MS + random.below(2 * AROUND_MS);
  const bounces = [around(), around()]
    .sort((a, b) => a - b)
    .map((atMs) => ({ atMs, signal: random.pick(ENDINGS) }));
  return { kind: 'policy', aheadMs: EFFECTIVE_AHEAD_MS, bounces };
}

function shuffled<T>(random: SeededRandom, list: readonly T[]): T[] {
  const left = [...list];
  return Array.from(list, () => left.splice(random.below(left.length), 1)).flat();
}

/** Sorts additions first, so that there are never fewer routers than at the start. */
function addedFirst(list: readonly Disturbance[]): readonly Disturbance[] {
  const kinds: Disturbance['kind'][] = ['router added', 'router removed'];
  const ordered = list
    .filter(({ kind }) => kinds.includes(kind))
    .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  return list.map((one) => (kinds.includes(one.kind) ? (ordered.shift() ?? one) : one));
}
