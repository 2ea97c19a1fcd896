import { ContractError } from './contract-error.ts';

/** The position of a record: `<log>/<topic>/<partition>/<offset>`. */
export interface Position {
  readonly log: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

// Kafka's own bounds: topic names [a-zA-Z0-9._-]{1,249}, partitions int32, offsets int64.
export const POSITION =
  /^([A-Za-z0-9._-]{1,64})\/([A-Za-z0-9._-]{1,249})\/(0|[1-9]\d{0,9})\/(0|[1-9]\d{0,18})$/;

export function formatPosition(position: Position): string {
  return `${position.log}/${position.topic}/${position.partition}/${position.offset}`;
}

/** The inverse of `formatPosition`; throws `INVALID_POSITION`. */
export function parsePosition(text: string): Position {
  const match = POSITION.exec(text);
  if (!match) {
    throw new ContractError({
      code: 'INVALID_POSITION',
      message:
        'Expected a position <log>/<topic>/<partition>/<offset>, such as log-1/threat.samples/0/42.',
      remedy: 'park',
    });
  }
  const [, log = '', topic = '', partition, offset = ''] = match;
  return { log, topic, partition: Number(partition), offset: BigInt(offset) };
}
