import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { verifySite } from '@residency/adapter-filesystem';
import { compareKept, isRecordLog } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { TOPICS, regionOfCustody, sitesOut } from '@residency/contracts';
import type { Topic, TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { ok, unknown, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import { checkEmbeddedLedgers, lockRouting, openDataDirectory } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import type { Common } from '../terminal/command.ts';
import { requireDataDirectory } from '../opening/require-data-directory.ts';
import { embeddedLedgers } from '../ledger/embedded-ledgers.ts';
import { keptOf, readOf } from '../ledger/ledgers.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import { embeddedSnapshot } from '../probing/embedded-probe.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, grouped } from '../terminal/table.ts';
import { assessed, assessmentOf, factOf } from './assessed.ts';
import { judgeKeyFile } from './judge-key-file.ts';
import { judgeKeys } from './judge-keys.ts';
import { judgeModes } from './judge-modes.ts';
import { judgePassedOver, unreadablePolicies } from './judge-passed-over.ts';
import { documentsOf, regionsOf } from './judge-policy.ts';
import { readLedgerFacts } from './ledger-facts.ts';
import { Part, given } from './part.ts';
import type { CheckOptions } from './part.ts';
import { explain } from './run-checks.ts';
import type { Check } from './run-checks.ts';

/** Room for some samples, each kept in the log and in every site of its region. */
const LEAST_FREE_BYTES = 256 * 1024 * 1024;

/** The checks of a data directory, which is not created: throws `NOT_THERE`. */
export async function dataChecks(
  session: Session,
  { data: path, checkpoints }: Pick<Common, 'data' | 'checkpoints'>,
  options: CheckOptions,
): Promise<{ readonly checks: readonly Check[]; close(): Promise<void> }> {
  await requireDataDirectory({ data: path });
  const data = new Part('the data directory', () =>
    given(options, [], () =>
      openDataDirectory(path, {
        forReading: true,
        ...defined({ checkpoints }),
      }),
    ),
  );
  const lock = new Part('the lock', () =>
    given(options, [data], ([directory]) => routerRuns(directory)),
  );
  const snapshot = new Part('the snapshot', async () =>
    embeddedSnapshot(await data.needed(), session.now),
  );
  const assessment = assessmentOf(snapshot);
  const control = factOf('the control log', snapshot, (facts) => facts.control);
  const policies = factOf('the policy log', snapshot, (facts) => facts.policy);
  const checks: readonly Check[] = [
    {
      name: 'data directory',
      run: async () => [ok('data directory', `log ${(await data.value()).log.name}`)],
    },
    {
      name: 'router',
      run: async () => [
        ok(
          'router',
          (await lock.value()) ? 'one runs' : 'none runs',
          (await lock.value())
            ? undefined
            : 'Nothing is routed meanwhile: residency start, or residency route --once.',
        ),
      ],
    },
    { name: 'disk', run: () => given(options, [], async () => [judgeDisk(await freeBytes(path))]) },
    { name: 'permissions', run: () => given(options, [], async () => [await judgeModes(path)]) },
    assessed(assessment, 'clock'),
    assessed(assessment, 'policy'),
    {
      name: 'keys',
      run: () =>
        given(options, [data, policies], ([{ keys }, { at, versions }]) =>
          judgeKeys(regionsOf(documentsOf(versions, at)), (region) => keys.newest(region)),
        ),
    },
    {
      name: 'sites',
      run: () =>
        given(options, [data, policies, control], async ([directory, { at, versions }, state]) => {
          const out = sitesOut(state);
          return await Promise.all(
            sitesOf(documentsOf(versions, at)).map(async (identity) =>
              out.has(identity.site)
                ? ok(`site ${identity.site}`, 'is out of service, and was not looked at')
                : await judgeSite(directory, identity),
            ),
          );
        }),
    },
    {
      name: 'ledger key',
      run: () => given(options, [data], async ([directory]) => [await judgeEmbeddedKey(directory)]),
    },
    {
      name: 'ledger',
      run: () => given(options, [data, lock], ([directory, runs]) => judgeLedgers(directory, runs)),
    },
    {
      name: 'kept checkpoint',
      run: () => given(options, [data], ([directory], signal) => judgeKept(directory, signal)),
    },
    assessed(assessment, 'progress'),
    assessed(assessment, 'control'),
    {
      name: 'passed over',
      run: () =>
        given(options, [data, control], async ([{ log }, { passedOver = 0 }]) =>
          judgePassedOver({
            [TOPICS.consents]: await log.consentView().skipped(),
            [TOPICS.policy]: await unreadablePolicies(log.read(TOPICS.policy)),
            [TOPICS.control]: passedOver,
          }),
        ),
    },
  ];
  return {
    checks,
    close: async () => {
      await (await data.value().catch(() => undefined))?.close();
    },
  };
}

/**
 * Takes the routing lock for a moment. A router that starts at that moment is refused, and reports
 * it.
 */
async function routerRuns(data: DataDirectory): Promise<boolean> {
  try {
    await (await lockRouting(data)).release();
    return false;
  } catch (error) {
    if (hasCode(error, 'ROUTING_LOCKED')) return true;
    throw error;
  }
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

export function judgeDisk(free: number): CheckResult {
  return free < LEAST_FREE_BYTES
    ? wrong('disk', `${bytesText(free)} free`, 'Make room: routing waits on a full disk.')
    : ok('disk', `${bytesText(free)} free`);
}

type Documents = ReturnType<typeof documentsOf>;

function sitesOf(
  documents: Documents,
): readonly { readonly region: string; readonly site: string }[] {
  const named = documents.flatMap(({ regions }) =>
    regions.flatMap(({ id, sites }) => sites.map((site) => [site, id] as const)),
  );
  return [...new Map(named)].map(([site, region]) => ({ region, site }));
}

async function judgeSite(
  data: DataDirectory,
  identity: { readonly region: string; readonly site: string },
): Promise<CheckResult> {
  const check = `site ${identity.site}`;
  try {
    await verifySite(data.sitePath(identity.site), identity);
    return ok(check, 'there, and its folder is its own');
  } catch (error) {
    return explain(check, error);
  }
}

async function judgeEmbeddedKey(data: DataDirectory): Promise<CheckResult> {
  const { keyLost } = await embeddedLedgers(data);
  if (keyLost !== undefined) return { ...wrong('ledger key', keyLost.message), code: keyLost.code };
  return await judgeKeyFile(join(data.path, 'ledger-key'));
}

/** Makes the comparison that a start makes before anything is routed. */
async function judgeKept(
  data: DataDirectory,
  signal: AbortSignal,
): Promise<readonly CheckResult[]> {
  const check = 'kept checkpoint';
  const ledgers = await embeddedLedgers(data);
  if (ledgers.keyLost !== undefined) return await judgeUnsigned(check, ledgers);
  const checked = await checkEmbeddedLedgers(data, signal);
  if (checked.length < ledgers.logs.length) return [unknown(check, 'not looked at to the end')];
  return checked.map(({ published, kept }, at) => {
    const name = nameOf(check, ledgers.logs[at]);
    if (kept !== undefined)
      return ok(name, `of ${grouped(kept.head.size)} entries; ledger and log begin with it`);
    return published.checkpoint === undefined
      ? ok(name, 'none yet')
      : unknown(
          name,
          `none in ${data.checkpoints}, so nobody can tell whether an older copy was put back`,
          'Name its place (--checkpoints), or let residency start keep the newest one from now on.',
        );
  });
}

/** `check` alone for the audit log; else with the log's topic. */
function nameOf(check: string, of: TopicPartition | undefined): string {
  return of === undefined || of.topic === TOPICS.audit ? check : `${check} ${of.topic}`;
}

/** Without a key: compares ledgers and kept checkpoints without verifying signatures. */
async function judgeUnsigned(check: string, ledgers: Ledgers): Promise<readonly CheckResult[]> {
  return await Promise.all(
    ledgers.logs.map(async (of) => {
      const fault = await compareKept(readOf(ledgers, of), await keptOf(ledgers, of));
      return fault === undefined
        ? unknown(nameOf(check, of), 'signatures are not verified, because the key is lost')
        : { ...wrong(nameOf(check, of), fault.message), code: fault.code };
    }),
  );
}

async function judgeLedgers(data: DataDirectory, runs: boolean): Promise<readonly CheckResult[]> {
  const ledgers = await embeddedLedgers(data);
  const results: CheckResult[] = [];
  for (const of of ledgers.logs) {
    const { size: entries } = await readLedgerFacts(
      of.topic,
      readOf(ledgers, of),
      await ledgers.verifierKeys(of),
    );
    // A later ledger begins with the last checkpoint of the previous one.
    const first = ledgers.generation > 1 && entries !== undefined ? 1 : 0;
    const judged = judgeEmbeddedLedger({
      size: (entries ?? 0) - first,
      events: await eventsOf(data, of.topic),
      // Their records are appended by commands too, which sign nothing.
      runs: runs || isRecordLog(of.topic),
    });
    results.push({ ...judged, check: nameOf(judged.check, of) });
  }
  return results;
}

/** The offsets of a custody log have gaps, so its records are counted. */
async function eventsOf({ log }: DataDirectory, topic: Topic): Promise<number> {
  if (regionOfCustody(topic) === undefined) return Number(await log.end(topic));
  let events = 0;
  for await (const _ of log.read(topic)) events += 1;
  return events;
}

/**
 * A log has one partition here, so the ledger's size is its progress. The log is read
 * after the ledger, so it can only be further.
 */
export function judgeEmbeddedLedger({
  size,
  events,
  runs,
}: {
  readonly size: number;
  readonly events: number;
  readonly runs: boolean;
}): CheckResult {
  const found = `${grouped(size)} entries for ${grouped(events)} events`;
  if (size > events)
    return wrong(
      'ledger',
      found,
      "The log lost its end, or the ledger is another log's: residency audit fsck, then residency audit restore --from-ledger.",
    );
  if (size < events && !runs)
    return wrong(
      'ledger',
      found,
      'residency start, or residency route --once, adds what is missing.',
    );
  return ok('ledger', found);
}
