import { openKafkaLog } from '@residency/adapter-kafka';
import type { DiagnosticFields, KafkaDiagnostics, KafkaLog } from '@residency/adapter-kafka';
import { codeOf } from '@residency/coded-error';
import { retryUntilReady as retry } from '@residency/waiting';
import { LOG } from '../names.ts';
import { here } from '../process.ts';
import type { SimProcess } from '../process.ts';

/** Says into the story what a process logs at `warn` or above. */
export function diagnosticsOf({ world, name }: SimProcess): KafkaDiagnostics {
  const say =
    (level: string) =>
    (message: string, fields?: DiagnosticFields): void => {
      const code = fields?.code ?? codeOf(fields?.error);
      world.narrate(
        world.scheduler.now,
        name,
        `${level}: ${message}${code === undefined ? '' : ` (${code})`}`,
      );
    };
  return { debug: () => undefined, info: () => undefined, warn: say('warns'), error: say('says') };
}

export async function openLog(process: SimProcess, clientId: string): Promise<KafkaLog> {
  return await retryUntilReady(process, () =>
    openKafkaLog(
      { brokers: ['simulated:9092'], clientId, log: LOG, topicPrefix: '' },
      diagnosticsOf(process),
    ),
  );
}

/** As a service does: what can be tried again is tried again. */
export async function retryUntilReady<T>(process: SimProcess, step: () => Promise<T>): Promise<T> {
  return await retry(step, {
    signal: process.stop.signal,
    waits: () => undefined,
    firstMs: 100,
  });
}

export async function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  here().after(ms, 'waits', resolve);
  await promise;
}
