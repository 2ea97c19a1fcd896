import type { KafkaLog } from '@residency/adapter-kafka';
import { checkpointPath, compareKept, ledgerOrigin } from '@residency/auditing';
import { auditEventIn, TOPICS } from '@residency/contracts';
import { openLedgerKeys } from '@residency/ledger';
import { LIMITS, assess, unknown, wrong } from '@residency/observation';
import type { CheckResult, LedgerFacts } from '@residency/observation';
import { CHECKPOINT_PLACES } from '../cluster/cluster.ts';
import { verifierKeysOf } from '../ledger/embedded-ledgers.ts';
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
            const [starts, due] = await Promise.all([
              log.starts(TOPICS.audit),
              log.since(TOPICS.audit, session.now() - patienceMs),
            ]);
            const secrets = path === undefined ? undefined : await readKeyFile(path);
            const apart = CHECKPOINT_PLACES.some((name) => file.env[name] !== undefined)
              ? await kept.value()
              : undefined;
            const generation =
              secrets?.generation ??
              (await newestGeneration({ partitions: [...due.keys()], store, kept: apart }));
            const read: Omit<LedgerFacts, 'intakeEnd'>[] = [];
            const failed: CheckResult[] = [];
            await Promise.all(
              [...due].map(async ([partition, upTo]) => {
                try {
                  const origin = ledgerOrigin(prefix, log.name, partition, generation);
                  const keys =
                    secrets === undefined
                      ? []
                      : verifierKeysOf(await openLedgerKeys(secrets, origin));
                  const readFile = readOf({ store, generation }, partition);
                  const checkpoint = await apart?.read(checkpointPath(partition, generation));
                  const offset = await lastEventBefore(log, {
                    partition,
                    upTo,
                    start: starts.get(partition) ?? 0n,
                    signal,
                  });
                  const facts = await readLedgerFacts(readFile, keys);
                  const fault = await compareKept(readFile, checkpoint);
                  if (fault !== undefined)
                    failed.push({
                      ...wrong(`ledger ${partition}`, fault.message),
                      code: fault.code,
                    });
                  read.push({
                    ...facts,
                    partition,
                    ...(offset === undefined ? {} : { due: { offset, forMs: patienceMs } }),
                  });
                } catch (error) {
                  failed.push(explain(`ledger ${partition}`, error));
                }
              }),
            );
            // Read after every ledger, so that events settled meanwhile count as before the end.
            const intake = await log.ends(TOPICS.samples);
            const known = read
              .toSorted((a, b) => a.partition - b.partition)
              .map((facts) => ({ ...facts, intakeEnd: intake.get(facts.partition) ?? 0n }));
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

/** The intake offset of the last audit event before `upTo`. */
async function lastEventBefore(
  log: Pick<KafkaLog, 'read'>,
  {
    partition,
    upTo,
    start,
    signal,
  }: {
    readonly partition: number;
    readonly upTo: bigint;
    readonly start: bigint;
    readonly signal: AbortSignal;
  },
): Promise<bigint | undefined> {
  const from = upTo - TAIL > start ? upTo - TAIL : start;
  if (from >= upTo) return undefined;
  let last: bigint | undefined;
  for await (const { offset, value } of log.read(TOPICS.audit, {
    from: new Map([[partition, from]]),
    partitions: [partition],
    until: 'end',
    signal,
  })) {
    if (offset >= upTo) break;
    last = auditEventIn(value)?.position.offset ?? last;
  }
  return last;
}
