import { publishedPolicies } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import {
  RECORD_LOGS,
  checkpointPath,
  compareKept,
  custodyLogsOf,
  isRecordLog,
  kindOf,
  ledgerOrigin,
} from '@residency/auditing';
import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { openLedgerKeys, verifierKeysOf } from '@residency/ledger';
import { LIMITS, assess, unknown, wrong } from '@residency/observation';
import type { CheckResult, LedgerFacts } from '@residency/observation';
import { CHECKPOINT_PLACES } from '../cluster/cluster.ts';
import { readKeyFile } from '../ledger/ledger-key.ts';
import { newestGeneration } from '../ledger/ledger-keeping.ts';
import { readOf } from '../ledger/ledgers.ts';
import type { ClusterDeps, ClusterParts } from './cluster-parts.ts';
import { judgeKeyFile } from './judge-key-file.ts';
import { readLedgerFacts } from './ledger-facts.ts';
import { given, answered } from './part.ts';
import { explain } from './run-checks.ts';
import type { Check } from './run-checks.ts';
import { checkpointIntervalMs, says } from './settings-parts.ts';

const KEY_FILE = 'RESIDENCY_LEDGER_KEY_FILE';
/**
 * The last offsets to search. Each transaction has one marker, so one of them holds an event unless
 * its transaction was aborted.
 */
const TAIL = 64n;
/** The same among ticks, of which there are four a second, milliseconds. */
const TAIL_MS = 3_600_000;

export function clusterLedgerChecks(
  { options, file, session }: Omit<ClusterDeps, 'diagnostics'>,
  {
    kafka,
    ledgerSettings,
    ledgers,
    kept,
  }: Pick<ClusterParts, 'kafka' | 'ledgerSettings' | 'ledgers' | 'kept'>,
): readonly Check[] {
  const path = file.env[KEY_FILE];
  // The secret belongs on the auditor's machine only, so there is no check if it is not configured.
  const keyFile: Check[] =
    path === undefined
      ? []
      : [
          {
            name: 'ledger key',
            run: () => answered(options, async () => [await judgeKeyFile(path)]),
          },
        ];
  // oxlint-disable-next-line typescript/require-await -- as every check
  const unnamed: Check = {
    name: 'ledger',
    run: async () => [
      unknown(
        'ledger',
        'the settings do not say where the ledgers are',
        'Name their place: RESIDENCY_LEDGER_BUCKET or RESIDENCY_LEDGER_DIR.',
      ),
    ],
  };
  if (!says(file, 'ledger')) return [...keyFile, unnamed];
  return [
    ...keyFile,
    {
      name: 'ledger',
      run: () =>
        given(
          options,
          [kafka, ledgerSettings, ledgers],
          async ([log, { origin: prefix }, store], signal) => {
            const patienceMs = LIMITS.ledgerLag.seconds * 1_000 + checkpointIntervalMs(file);
            const secrets = path === undefined ? undefined : await readKeyFile(path);
            const apart = CHECKPOINT_PLACES.some((name) => file.env[name] !== undefined)
              ? await kept.value()
              : undefined;
            const logs: readonly TopicPartition[] = [
              ...[...(await log.ends(TOPICS.audit)).keys()].map((partition) => ({
                topic: TOPICS.audit,
                partition,
              })),
              ...custodyLogsOf(await publishedPolicies(log, signal)),
              ...RECORD_LOGS,
            ];
            const generation =
              secrets?.generation ?? (await newestGeneration({ logs, store, kept: apart }));
            const read: Omit<LedgerFacts, 'intakeEnd'>[] = [];
            const failed: CheckResult[] = [];
            await Promise.all(
              logs.map(async (of) => {
                const check = `ledger ${of.topic === TOPICS.audit ? of.partition : of.topic}`;
                try {
                  const origin = ledgerOrigin(prefix, log.name, of, generation);
                  const keys =
                    secrets === undefined
                      ? []
                      : verifierKeysOf(await openLedgerKeys(secrets, origin));
                  const readFile = readOf({ store, generation }, of);
                  const checkpoint = await apart?.read(checkpointPath(of, generation));
                  const order = await lastEventBefore(log, of, session.now() - patienceMs, signal);
                  const facts = await readLedgerFacts(of.topic, readFile, keys);
                  const fault = await compareKept(readFile, checkpoint);
                  if (fault !== undefined)
                    failed.push({ ...wrong(check, fault.message), code: fault.code });
                  read.push({
                    ...facts,
                    ...(of.topic === TOPICS.audit ? {} : { topic: of.topic }),
                    partition: of.partition,
                    ...(order === undefined ? {} : { due: { offset: order, forMs: patienceMs } }),
                  });
                } catch (error) {
                  failed.push(explain(check, error));
                }
              }),
            );
            // Read after every ledger, so that events settled meanwhile count as before the end.
            const intake = await log.ends(TOPICS.samples);
            const known = read
              .toSorted(
                (a, b) => (a.topic ?? '').localeCompare(b.topic ?? '') || a.partition - b.partition,
              )
              .map((facts) =>
                facts.topic === undefined
                  ? { ...facts, intakeEnd: intake.get(facts.partition) ?? 0n }
                  : facts,
              );
            const judged = assess({ ledgers: { known } });
            return failed.length === 0
              ? judged
              : [
                  ...failed.toSorted((a, b) => a.check.localeCompare(b.check)),
                  ...judged.filter(({ state }) => state === 'wrong'),
                ];
          },
        ),
    },
  ];
}

/** Where the last event that was appended before a time stands in its log. */
async function lastEventBefore(
  log: Pick<KafkaLog, 'read' | 'since' | 'starts'>,
  { topic, partition }: TopicPartition,
  at: number,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const [starts, due] = await Promise.all([log.starts(topic), log.since(topic, at)]);
  const [start, upTo] = [starts.get(partition) ?? 0n, due.get(partition) ?? 0n];
  const tail = isRecordLog(topic)
    ? ((await log.since(topic, at - TAIL_MS)).get(partition) ?? start)
    : upTo - TAIL;
  const from = tail > start ? tail : start;
  if (from >= upTo) return undefined;
  let last: bigint | undefined;
  const kind = kindOf(topic);
  for await (const record of log.read(topic, {
    from: new Map([[partition, from]]),
    partitions: [partition],
    until: 'end',
    signal,
  })) {
    if (record.offset >= upTo) break;
    const leaf = kind.leafOf(record);
    last = (leaf === undefined ? undefined : kind.orderOf(leaf)) ?? last;
  }
  return last;
}
