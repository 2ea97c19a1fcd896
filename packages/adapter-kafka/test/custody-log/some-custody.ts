import { custodyTopic } from '@residency/contracts';
import type { KafkaCustodianOptions } from '../../src/custody-log/custodian-options.ts';
import type { KafkaCustodyLog } from '../../src/custody-log/kafka-custody-log.ts';
import { openKafkaLog } from '../../src/kafka-log.ts';
import type { KafkaLog } from '../../src/kafka-log.ts';
import { SILENT, someKafka } from '../some-kafka.ts';
import type { SomeKafka } from '../some-kafka.ts';

export const ZURICH = custodyTopic('zurich');

/** Time-outs a test can wait for. */
export const SHORT: Partial<KafkaCustodianOptions> = {
  sessionTimeoutMs: 3_000,
  transactionTimeoutMs: 2_000,
  heartbeatIntervalMs: 300,
  stallMs: 60_000,
  backOff: { firstMs: 20, mostMs: 500 },
};

export interface SomeCustody extends SomeKafka {
  /** As a process that just started has it; closed with the others. */
  readonly openLog: () => Promise<KafkaLog>;
  readonly open: (region: string) => Promise<KafkaCustodyLog>;
  readonly appendForeign: (region: string, value: Buffer | null) => Promise<void>;
  /** The values that readers of the region's topic see. */
  readonly visible: () => Promise<readonly (Buffer | null)[]>;
}

/** The custody logs of Zurich and Moscow on the shared cluster. */
export async function someCustody(): Promise<SomeCustody> {
  const some = await someKafka({ partitions: 1, regions: ['zurich', 'moscow'] });
  // The groups' coordinator is there before a custodian needs it.
  await some.log.committed();
  const logs: KafkaLog[] = [];
  const owners: KafkaCustodyLog[] = [];
  const openLog = async (): Promise<KafkaLog> => {
    const log = await openKafkaLog(some.settings, SILENT);
    logs.push(log);
    return log;
  };
  return {
    ...some,
    openLog,
    open: async (region) => {
      const owner = await (await openLog()).custodyLog(region, SHORT);
      owners.push(owner);
      return owner;
    },
    appendForeign: async (region, value) => {
      await some.log.append([
        { topic: custodyTopic(region), record: { key: null, headers: [], value } },
      ]);
    },
    visible: async () =>
      (await Array.fromAsync(some.log.read(ZURICH, { until: 'end' }))).map(({ value }) => value),
    close: async () => {
      for (const owner of owners) await owner.close();
      for (const log of logs) await log.close();
      await some.close();
    },
  };
}
