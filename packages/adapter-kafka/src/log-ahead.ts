import type { LogRecord } from '@residency/contracts';
import type { Ahead } from './reading/point-reads.ts';

/** What stands ahead of an offset. */
export interface LogAhead {
  /** Of the first record that readers may see. */
  readonly first?: Pick<LogRecord, 'offset' | 'at'>;
  /** Without a first one: up to here there is none, and there will be none. */
  readonly upTo: bigint;
}

export function logAhead({ first, upTo }: Ahead): LogAhead {
  return first === undefined
    ? { upTo }
    : { first: { offset: BigInt(first.offset), at: Number(first.timestamp) }, upTo };
}
