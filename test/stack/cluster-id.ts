import { randomBytes } from 'node:crypto';

/**
 * A new Kafka cluster id. Never one that begins with `-`, which Kafka's tools take for an option.
 */
export function clusterId(): string {
  return Buffer.concat([Buffer.alloc(1), randomBytes(15)]).toString('base64url');
}
