import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jars } from './cache.ts';
import { clusterId } from './cluster-id.ts';
import { formatLog } from './formatted-log.ts';
import type { Guarded } from './guarded.ts';
import { java, javaArguments } from './java.ts';
import { kafkaProperties } from './kafka-properties.ts';
import type { BrokerPorts } from './kafka-properties.ts';
import { liveBrokers } from './live-brokers.ts';
import { propertiesFile } from './properties-file.ts';
import { GuardedServer } from './server.ts';
import type { ServerTuning } from './server.ts';

/** Formatted brokers that are not started yet. */
export async function kafkaServers(
  guarded: Guarded,
  brokers: readonly BrokerPorts[],
  settings: Readonly<Record<string, string>>,
  { longRunning, recordClasses }: ServerTuning,
): Promise<GuardedServer[]> {
  const folder = await jars('kafka');
  const cluster = clusterId();
  return Promise.all(
    brokers.map(async (ports, index) => {
      const name = `kafka-${index + 1}`;
      const data = join(guarded.folder, name);
      const file = join(guarded.folder, `${name}.properties`);
      await mkdir(data);
      await writeFile(
        file,
        propertiesFile(kafkaProperties({ id: index + 1, brokers, data, settings })),
      );
      await formatLog(folder, data, { cluster, id: index + 1 });
      return new GuardedServer(guarded, {
        name,
        command: java(),
        args: [
          ...javaArguments(folder, 'kafka.Kafka', ['-Xmx512m', '-Dlog4j2.level=WARN'], {
            longRunning,
            recordTo: recordClasses ? join(guarded.folder, `${name}.jsa`) : undefined,
          }),
          file,
        ],
        ready: async () => (await liveBrokers(ports.client)).includes(index + 1),
      });
    }),
  );
}
