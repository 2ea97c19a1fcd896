import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterId } from './cluster-id.ts';
import { runJava } from './java.ts';
import { kafkaProperties } from './kafka-properties.ts';
import { propertiesFile } from './properties-file.ts';

const METADATA = '__cluster_metadata-0';

/**
 * Makes `data` the log directory of a broker, as Kafka's StorageTool does. The tool runs once on
 * this machine: what it writes besides meta.properties names neither cluster nor broker.
 */
export async function formatLog(
  jars: string,
  data: string,
  { cluster, id }: { readonly cluster: string; readonly id: number },
): Promise<void> {
  const formatted = join(jars, 'formatted');
  if (!existsSync(formatted)) await formatInto(jars, formatted);
  await cp(join(formatted, METADATA), join(data, METADATA), { recursive: true });
  await writeFile(
    join(data, 'meta.properties'),
    propertiesFile({
      version: '1',
      'cluster.id': cluster,
      'node.id': String(id),
      // Of the same form: 16 bytes.
      'directory.id': clusterId(),
    }),
  );
}

async function formatInto(jars: string, formatted: string): Promise<void> {
  const fresh = await mkdtemp(`${formatted}.`);
  try {
    const data = join(fresh, 'data');
    const file = join(fresh, 'broker.properties');
    const brokers = [{ client: 1, controller: 2 }];
    await writeFile(file, propertiesFile(kafkaProperties({ id: 1, brokers, data, settings: {} })));
    await runJava(jars, 'kafka.tools.StorageTool', ['format', '-t', clusterId(), '-c', file]);
    await rename(data, formatted);
  } catch (error) {
    // Another process was quicker, and a folder appears whole or not at all.
    if (!existsSync(formatted)) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
