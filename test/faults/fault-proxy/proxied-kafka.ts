import { openStack } from '../../stack/index.ts';
import type { OwnStack, OwnStackOptions } from '../../stack/index.ts';
import { FaultProxy } from './fault-proxy.ts';
import { kafka } from './kafka.ts';
import type { KafkaRequest } from './kafka.ts';

export interface ProxiedKafka {
  readonly stack: OwnStack;
  /**
   * Bootstrap addresses. The brokers advertise the proxies to clients that begin here.
   * `stack.kafka.brokers` bypass them.
   */
  readonly brokers: readonly string[];
  /** One proxy for each broker, in the order of `stack.servers.brokers`. */
  readonly proxies: readonly FaultProxy<KafkaRequest>[];
  close(): Promise<void>;
}

/** A Kafka of the test's own with a fault proxy in front of each broker. */
export async function openProxiedKafka(
  options: OwnStackOptions & { readonly brokers: 1 | 3 },
): Promise<ProxiedKafka> {
  const proxies = await Promise.all(
    Array.from({ length: options.brokers }, () => FaultProxy.open(kafka)),
  );
  const closeProxies = async (): Promise<void> => {
    await Promise.all(proxies.map((proxy) => proxy.close()));
  };
  try {
    const stack = await openStack({ ...options, kafkaProxyPorts: proxies.map(({ port }) => port) });
    for (const [index, proxy] of proxies.entries()) proxy.target = stack.kafka.behindProxies[index];
    return {
      stack,
      brokers: proxies.map(({ port }) => `127.0.0.1:${port}`),
      proxies,
      close: async () => {
        await closeProxies();
        await stack.close();
      },
    };
  } catch (error) {
    await closeProxies();
    throw error;
  }
}
