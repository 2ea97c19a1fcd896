import { KafkaLogError } from './kafka-log-error.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import type { SerialAdmin } from './topics/serial-admin.ts';

/**
 * The cluster's id. Throws `KAFKA_UNREACHABLE` (retry) or `LOG_MISMATCH` (stop): positions on
 * another cluster would name other records.
 */
export async function requireCluster(
  admin: SerialAdmin,
  { clusterId, log }: Pick<KafkaSettings, 'clusterId' | 'log'>,
): Promise<string> {
  const { clusterId: found } = await admin.ask((client) => client.describeCluster());
  if (clusterId === undefined || found === clusterId) return found;
  throw new KafkaLogError({
    code: 'LOG_MISMATCH',
    remedy: 'stop',
    message: `Expected the cluster ${clusterId}, to which the log name ${log} is bound, found ${found}. Compare the brokers' addresses; a new cluster needs a new log name.`,
  });
}
