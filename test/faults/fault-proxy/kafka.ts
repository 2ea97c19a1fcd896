import type { Protocol } from './protocol.ts';

/** The requests whose loss the tests examine, by api key. */
export const KAFKA_API = {
  produce: 0,
  fetch: 1,
  metadata: 3,
  offsetCommit: 8,
  findCoordinator: 10,
  joinGroup: 11,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;

export interface KafkaRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  /** For an EndTxn request: whether it commits. */
  readonly commits: boolean;
  /** The whole frame: a predicate may look for a topic's name. */
  readonly bytes: Buffer;
}

const HEADER = 14;
/** The first EndTxn that ends in a tagged-fields byte. */
const FLEXIBLE_END_TXN = 3;

/**
 * Frames with a length prefix of four bytes. A response carries the correlation id of its request.
 */
export const kafka: Protocol<KafkaRequest> = {
  takeRequest: (bytes) => {
    const size = frameSize(bytes);
    return size === undefined ? undefined : { size, request: decode(bytes.subarray(0, size)) };
  },
  takeAnswer: (bytes) => {
    const size = frameSize(bytes);
    if (size === undefined) return undefined;
    const id = bytes.readInt32BE(4);
    return {
      size,
      answers: (waiting) => waiting.findIndex(({ correlationId }) => correlationId === id),
    };
  },
};

function frameSize(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const size = 4 + bytes.readInt32BE(0);
  return bytes.length < size ? undefined : size;
}

function decode(bytes: Buffer): KafkaRequest {
  const [apiKey, apiVersion] = [bytes.readInt16BE(4), bytes.readInt16BE(6)];
  const idSize = Math.max(0, bytes.readInt16BE(12));
  const commits =
    apiKey === KAFKA_API.endTxn && bytes.at(apiVersion >= FLEXIBLE_END_TXN ? -2 : -1) === 1;
  return {
    apiKey,
    apiVersion,
    correlationId: bytes.readInt32BE(8),
    clientId: bytes.toString('utf8', HEADER, HEADER + idSize),
    commits,
    bytes,
  };
}
