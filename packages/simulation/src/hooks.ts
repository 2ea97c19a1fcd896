import { registerHooks } from 'node:module';
import type { Mutant } from './mutants.ts';

/** Modules of the adapters at which the simulation begins: what is below them is simulated. */
const SEAMS: Readonly<Record<string, { readonly by: string; readonly names: string }>> = {
  '/packages/adapter-kafka/src/kafkajs/kafkajs.ts': {
    by: './kafka/client.ts',
    names: 'ConfigResourceTypes, Kafka, PartitionAssigners, Partitioners, logLevel',
  },
  '/packages/adapter-kafka/src/kafkajs/topic-ids.ts': {
    by: './kafka/topic-ids.ts',
    names: 'fetchTopicIds, supportsTopicIds',
  },
  '/packages/adapter-redis/src/redis-connection.ts': {
    by: './redis/client.ts',
    names: 'RedisConnection',
  },
};

/**
 * Puts the simulated vendor clients in the place of the real ones, and a mutant's text in the place
 * of the fragment it names. To be called before the first import of a package. Production code
 * knows nothing of it.
 */
export function installHooks(mutant: Mutant | undefined): void {
  registerHooks({
    load: (url, context, nextLoad) => {
      const [, seam] = Object.entries(SEAMS).find(([path]) => url.endsWith(path)) ?? [];
      if (seam !== undefined) {
        return {
          format: 'module',
          source: `export { ${seam.names} } from '${new URL(seam.by, import.meta.url).href}';`,
          shortCircuit: true,
        };
      }
      const loaded = nextLoad(url, context);
      const edits = (mutant?.edits ?? []).filter(({ file }) => url.endsWith(`/${file}`));
      if (edits.length === 0) return loaded;
      let source =
        typeof loaded.source === 'string'
          ? loaded.source
          : new TextDecoder().decode(loaded.source ?? new Uint8Array());
      for (const { file, from, to } of edits) {
        if (!source.includes(from))
          throw new Error(
            `Expected ${file} to hold the fragment that the mutant "${mutant?.name}" replaces, found it gone: mend the mutant.`,
          );
        source = source.replace(from, to);
      }
      return { ...loaded, source };
    },
  });
}
