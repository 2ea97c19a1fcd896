import type { Contained } from './containers.ts';
import { dockerAnswers } from './docker.ts';
import { fromEnvironment } from './from-environment.ts';
import { openStack } from './own-stack.ts';
import type { Stack } from './stack.ts';

export type SharedKind = keyof Stack;

export interface SharedServers<Kind extends SharedKind = SharedKind> {
  readonly endpoints: Stack[Kind];
  close(): Promise<void>;
}

/**
 * The run's servers of one kind: those that the environment names, else containers, else processes
 * (README.md).
 */
export const OPEN_SHARED: { readonly [Kind in SharedKind]: () => Promise<SharedServers<Kind>> } = {
  kafka: () =>
    openShared('kafka', async () => (await import('./containers.ts')).containedKafka(), {
      brokers: 1,
    }),
  sites: () =>
    openShared('sites', async () => (await import('./containers.ts')).containedSites(), {
      sites: true,
    }),
  redis: () =>
    openShared('redis', async () => (await import('./containers.ts')).containedRedis(), {
      redis: true,
    }),
};

async function openShared<Kind extends SharedKind>(
  kind: Kind,
  inContainers: () => Promise<Contained<Stack[Kind]>>,
  options: Parameters<typeof openStack>[0],
): Promise<SharedServers<Kind>> {
  const given: Stack[Kind] | undefined = fromEnvironment(process.env)[kind];
  if (given !== undefined) return { endpoints: given, close: async () => {} };
  const wanted = process.env['RESIDENCY_TEST_SERVERS'];
  if (wanted === 'containers' || (wanted !== 'processes' && (await dockerAnswers()))) {
    try {
      const { endpoints, containers } = await inContainers();
      return {
        endpoints,
        close: async () => {
          await Promise.all(containers.map((container) => container.stop()));
        },
      };
    } catch (error) {
      if (wanted === 'containers') throw error;
      console.warn(
        `The tests' ${kind} did not come up in containers, so it runs as processes: ${String(error)}`,
      );
    }
  }
  const stack = await openStack(options);
  return { endpoints: stack[kind], close: () => stack.close() };
}
