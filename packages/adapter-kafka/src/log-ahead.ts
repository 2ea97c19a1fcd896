import type { LogAhead } from '@residency/observation';
import type { Ahead } from './reading/point-reads.ts';

export function logAhead({ first, upTo }: Ahead): LogAhead {
  return first === undefined
    ? { upTo }
    : { first: { offset: BigInt(first.offset), at: Number(first.timestamp) }, upTo };
}
