import {
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_KEPT,
  CLAIMS_IN_EVENT,
} from '@residency/contracts';
import type { ControlEvent } from '@residency/contracts';
import type { FoundClaims } from './find-claims.ts';

export interface ArbiterChange {
  /** Of the open `arbiter.closing`. */
  readonly act: string;
  readonly region: string;
  /** The arbiter to come, as that event names it. */
  readonly next: string;
  /** Even if stored samples have no copy in a site that will serve. */
  readonly acceptLoss: boolean;
}

export interface ChangeArbiterDeps {
  /** Durable once it resolves. May have appended all the same if it rejects. */
  readonly append: (event: ControlEvent) => Promise<void>;
  /** After it no router settles what it decided without knowing of the closing. */
  readonly fence: () => Promise<void>;
  /** What `findClaims` finds, called after the fence. */
  readonly findClaims: () => Promise<FoundClaims>;
  /** A name for this attempt that no other has. */
  readonly newId: () => string;
}

/**
 * Ends an open change of a region's arbiter (docs/decisions/0041): with `arbiter.changed`, or, if
 * stored samples would have no copy left and nobody accepts that, or a step fails, with
 * `arbiter.kept`. Throws what the step threw. May be repeated while the change is open.
 */
export async function changeArbiter(
  { act, region, next, acceptLoss }: ArbiterChange,
  { append, fence, findClaims, newId }: ChangeArbiterDeps,
): Promise<FoundClaims & { readonly changed: boolean }> {
  const keep = async (reason: string): Promise<void> => {
    await append({ type: ARBITER_KEPT, data: { act, region, reason } });
  };
  try {
    await fence();
    const found = await findClaims();
    const { claims, unheld } = found;
    if (unheld > 0 && !acceptLoss) {
      await keep('samples would have no copy left');
      return { ...found, changed: false };
    }
    const attempt = newId();
    for (let from = 0; from < claims.length; from += CLAIMS_IN_EVENT)
      await append({
        type: ARBITER_CLAIMS,
        data: { act, region, attempt, claims: claims.slice(from, from + CLAIMS_IN_EVENT) },
      });
    await append({
      type: ARBITER_CHANGED,
      data: { act, region, next, attempt, claims: claims.length, unheld },
    });
    return { ...found, changed: true };
  } catch (error) {
    // So that the region does not wait for a person who has read the error.
    await keep('it failed').catch(() => undefined);
    throw error;
  }
}
