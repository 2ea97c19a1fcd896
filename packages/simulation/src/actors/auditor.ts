import { S3LedgerStore } from '@residency/adapter-s3';
import { LeafWatch, RecentRegions, growLedger, ledgerOrigin } from '@residency/auditing';
import { remedyOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { NOTE_SIGNATURE, makeKey, openSignerKey } from '@residency/ledger';
import type { Signer } from '@residency/ledger';
import { KafkaLedgerSource } from '@residency/auditor/kafka-ledger-source';
import { LOG } from '../names.ts';
import type { SimProcess } from '../process.ts';
import { callsOf } from '../s3/calls.ts';
import { openLog, pause } from './log.ts';

const signers = new Map<string, Promise<Signer>>();

/** As `services/auditor` composes it. */
export async function auditor(process: SimProcess): Promise<void> {
  const {
    world,
    stop: { signal },
  } = process;
  const log = await openLog(process, 'residency-auditor');
  const [store, kept] = [storeIn(process, 'ledger'), storeIn(process, 'checkpoints')];
  const regions = new RecentRegions(1_000);
  try {
    const partitions = world.kafka.partitionsOf(TOPICS.audit).map(({ partition }) => partition);
    await Promise.all(
      partitions.map(async (partition) => {
        const of = { topic: TOPICS.audit, partition };
        const source = new KafkaLedgerSource(log, of);
        const signer = await signerOf(partition);
        const watch = new LeafWatch({
          log: log.name,
          of,
          regions,
          onAnomaly: ({ kind, position }) => {
            if (kind !== 'ALSO_IN')
              world.violated('the auditor finds nothing', `${kind} at ${position}`);
          },
        });
        while (!signal.aborted) {
          try {
            await growLedger({
              source,
              store,
              kept,
              signer,
              watch,
              intervalMs: 1_000,
              now: () => performance.now(),
              until: 'aborted',
              signal,
            });
          } catch (error) {
            if (remedyOf(error) !== 'retry') throw error;
          }
          await pause(500);
        }
      }),
    );
  } finally {
    await log.close();
  }
}

function storeIn({ world }: SimProcess, bucket: string): S3LedgerStore {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what ReplacingCalls asks of a bucket, simulated
  const calls = callsOf(world.bucket(bucket)) as ConstructorParameters<typeof S3LedgerStore>[1];
  return new S3LedgerStore({ bucket, awsRegion: 'sim', pathStyle: true }, calls);
}

/** One secret for all ledgers of all worlds: what is signed is each ledger's own name. */
async function signerOf(partition: number): Promise<Signer> {
  const name = ledgerOrigin('sim.example', LOG, { topic: TOPICS.audit, partition });
  let signer = signers.get(name);
  if (signer === undefined) {
    signer = makeKey('sim.example', Buffer.alloc(32, 7), NOTE_SIGNATURE).then(
      async ({ signerKey }) => await openSignerKey(signerKey, name),
    );
    signers.set(name, signer);
  }
  return await signer;
}
