import { openKafkaLog } from '@residency/adapter-kafka';
import { readConfiguration } from '@residency/configuration';
import { codeOf } from '@residency/coded-error';
import type { ConfigFile } from './config-file.ts';
import type { Session } from '../terminal/session.ts';
import { diagnosticsOf } from './cluster.ts';

export const CLUSTER_ID = 'RESIDENCY_KAFKA_CLUSTER_ID';

/** The id that the cluster at the configured brokers returned, or the code of the failure. */
export type ClusterIdFound = { readonly clusterId: string } | { readonly failure: string };

/** Asks the brokers, regardless of the configured id. */
export async function askClusterId(session: Session, file: ConfigFile): Promise<ClusterIdFound> {
  const { configuration } = readConfiguration(['kafka'], {
    ...file,
    env: { ...file.env, [CLUSTER_ID]: 'asked' },
  });
  if (configuration === undefined) return { failure: 'CONFIGURATION_INVALID' };
  const { clusterId: _, ...unbound } = configuration.kafka;
  try {
    const log = await openKafkaLog(unbound, diagnosticsOf(session));
    await log.close();
    return { clusterId: log.clusterId };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || code === 'INTERRUPTED') throw error;
    return { failure: code };
  }
}
