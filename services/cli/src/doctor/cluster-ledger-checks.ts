import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { verifierKeyFrom } from '../ledger-key.ts';
import { readOf } from '../ledgers.ts';
import type { ClusterDeps, ClusterParts } from './cluster-parts.ts';
import { explain } from './explain.ts';
import { unknown } from './finding.ts';
import type { Finding } from './finding.ts';
import { judgeKeyFile } from './judge-key-file.ts';
import { judgeLedgers, ledgerPatienceMs } from './judge-ledgers.ts';
import { intakeOffsetOf, lookAtLedger } from './look-at-ledger.ts';
import type { LedgerLook } from './look-at-ledger.ts';
import { given, within } from './part.ts';
import type { Check } from './run-checks.ts';
import { checkpointIntervalMs, says } from './settings-parts.ts';

const KEY_FILE = 'RESIDENCY_LEDGER_KEY_FILE';
/** Offsets that hold an event for sure, unless what stands there was aborted: each transaction has one marker. */
const TAIL = 64n;

export function clusterLedgerChecks(
  { terms, file, session }: Omit<ClusterDeps, 'diagnostics'>,
  { kafka, ledgerSettings, ledgers }: Pick<ClusterParts, 'kafka' | 'ledgerSettings' | 'ledgers'>,
): readonly Check[] {
  const path = file.env[KEY_FILE];
  // The secret belongs on the auditor's machine alone: no line where it is not named.
  const keyFile: Check[] =
    path === undefined
      ? []
      : [{ name: 'ledger key', look: () => within(terms, async () => [await judgeKeyFile(path)]) }];
  // oxlint-disable-next-line typescript/require-await -- as every check
  const unnamed: Check = {
    name: 'ledger',
    look: async () => [
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
      look: () =>
        given(
          terms,
          [kafka, ledgerSettings, ledgers],
          async ([log, { origin: prefix }, store], signal) => {
            const patienceMs = ledgerPatienceMs(checkpointIntervalMs(file));
            const [starts, due] = await Promise.all([
              log.starts(TOPICS.audit),
              log.since(TOPICS.audit, session.now() - patienceMs),
            ]);
            const looks: Omit<LedgerLook, 'intakeEnd'>[] = [];
            const failed: Finding[] = [];
            await Promise.all(
              [...due].map(async ([partition, upTo]) => {
                try {
                  const key =
                    path === undefined
                      ? undefined
                      : await verifierKeyFrom(path, { prefix, log: log.name }, partition);
                  const offset = await lastEventBefore(log, {
                    partition,
                    upTo,
                    start: starts.get(partition) ?? 0n,
                    signal,
                  });
                  const look = await lookAtLedger(readOf({ store }, partition), key);
                  looks.push({
                    ...look,
                    partition,
                    ...(offset === undefined ? {} : { due: offset }),
                  });
                } catch (error) {
                  failed.push(explain(`ledger ${partition}`, error));
                }
              }),
            );
            // Asked for after every ledger: what is appended, settled and put under a checkpoint meanwhile is then before the end.
            const intake = await log.ends(TOPICS.samples);
            const judged = judgeLedgers(
              looks
                .toSorted((a, b) => a.partition - b.partition)
                .map((look) => ({ ...look, intakeEnd: intake.get(look.partition) ?? 0n })),
              patienceMs,
            );
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

/** The intake offset that the last audit event before `upTo` is about. */
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
    last = intakeOffsetOf(value) ?? last;
  }
  return last;
}
