import type { SeededRandom } from '../seeded-random.ts';
import type { Ending } from './fleet.ts';

/** Something done to a cluster at work. */
export type Disturbance =
  | {
      readonly kind: 'router' | 'broker' | 'projector';
      readonly signal: Ending;
      readonly pauseMs: number;
    }
  | { readonly kind: 'broker down'; readonly signal: Ending; readonly ms: number }
  | { readonly kind: 'router added' | 'router removed' }
  /** A policy version, effective `aheadMs` after it is published; routers end so long before and after that instant. */
  | {
      readonly kind: 'policy';
      readonly aheadMs: number;
      readonly bounces: readonly { readonly atMs: number; readonly signal: Ending }[];
    };

export interface ScriptOptions {
  /** How each of them ends that is bounced. */
  readonly router: readonly Ending[];
  readonly broker: readonly Ending[];
  readonly projector: readonly Ending[];
  readonly brokerDownMs: number;
  /** Whether a router is added and one removed later. */
  readonly resize: boolean;
  readonly policyChanges: number;
}

const ENDINGS: readonly Ending[] = ['SIGTERM', 'SIGKILL'];
const LONGEST_PAUSE_MS = 3_000;
const EFFECTIVE_AHEAD_MS = 8_000;
/** How far from the effective instant a router ends at most. */
const AROUND_MS = 3_000;

/** All that happens to one run's cluster, in a seeded order. */
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

/** There are never fewer routers than at first. */
function addedFirst(list: readonly Disturbance[]): readonly Disturbance[] {
  const kinds: Disturbance['kind'][] = ['router added', 'router removed'];
  const ordered = list
    .filter(({ kind }) => kinds.includes(kind))
    .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  return list.map((one) => (kinds.includes(one.kind) ? (ordered.shift() ?? one) : one));
}
