import type { KafkaDiagnostics } from '../diagnostics.ts';
import { requireCluster } from '../require-cluster.ts';
import { createKafka } from '../kafka-client.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { SerialAdmin } from './serial-admin.ts';

/** An admin client for one job on the cluster that the settings name, closed when it is done. */
export async function withAdmin<T>(
  settings: KafkaSettings,
  diagnostics: KafkaDiagnostics,
  job: (admin: SerialAdmin) => Promise<T>,
): Promise<T> {
  const admin = new SerialAdmin(createKafka(settings, diagnostics));
  try {
    await requireCluster(admin, settings);
    return await job(admin);
  } finally {
    await admin.close();
  }
}
