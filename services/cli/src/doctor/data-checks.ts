import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { verifySite } from '@residency/adapter-filesystem';
import { hasCode } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { lockRouting, openDataDirectory } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { controlOf } from '../control.ts';
import { demandThere } from '../demand-there.ts';
import { embeddedLedgers } from '../embedded-ledgers.ts';
import { isThere } from '../is-there.ts';
import { readOf } from '../ledgers.ts';
import { publishedOn } from '../policies.ts';
import type { Session } from '../session.ts';
import { bytesText, counted, grouped } from '../table.ts';
import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { judgeControl } from './judge-control.ts';
import { judgeKeyFile } from './judge-key-file.ts';
import { judgeKeys } from './judge-keys.ts';
import { documentsOf, judgePolicy, regionsOf } from './judge-policy.ts';
import { explain } from './explain.ts';
import { lookAtLedger } from './look-at-ledger.ts';
import { Part, given } from './part.ts';
import type { Terms } from './part.ts';
import type { Check } from './run-checks.ts';

/** Room for a while of samples, each kept in the log and in every site of its region. */
const LEAST_FREE_BYTES = 256 * 1024 * 1024;

/** Of a data directory, which is not made: throws `NOT_THERE`. */
export async function dataChecks(
  session: Session,
  path: string,
  terms: Terms,
): Promise<{ readonly checks: readonly Check[]; close(): Promise<void> }> {
  await demandThere({ data: path });
  const data = new Part('the data directory', () =>
    given(terms, [], () => openDataDirectory(path)),
  );
  const lock = new Part('the lock', () =>
    given(terms, [data], ([directory]) => routerRuns(directory)),
  );
  const policies = new Part('the policy log', () =>
    given(terms, [data], ([directory]) => publishedOn(directory)),
  );
  const checks: readonly Check[] = [
    {
      name: 'data directory',
      look: async () => [ok('data directory', `log ${(await data.value()).log.name}`)],
    },
    {
      name: 'router',
      look: async () => [
        ok(
          'router',
          (await lock.value()) ? 'one runs' : 'none runs',
          (await lock.value())
            ? undefined
            : 'Nothing is routed meanwhile: residency start, or residency route --once.',
        ),
      ],
    },
    { name: 'disk', look: () => given(terms, [], async () => [judgeDisk(await freeBytes(path))]) },
    { name: 'policy', look: async () => judgePolicy(await policies.value(), session.now()) },
    {
      name: 'keys',
      look: () =>
        given(terms, [data, policies], ([{ keys }, published]) =>
          judgeKeys(regionsOf(documentsOf(published, session.now())), (region) =>
            keys.newest(region),
          ),
        ),
    },
    {
      name: 'sites',
      look: () =>
        given(
          terms,
          [data, policies],
          async ([directory, published]) =>
            await Promise.all(
              sitesOf(documentsOf(published, session.now())).map((identity) =>
                judgeSite(directory, identity),
              ),
            ),
        ),
    },
    {
      name: 'ledger key',
      look: () =>
        given(terms, [data], async ([directory]) =>
          (await isThere(join(directory.path, 'ledger-key')))
            ? [await judgeKeyFile(join(directory.path, 'ledger-key'))]
            : [],
        ),
    },
    {
      name: 'ledger',
      look: () =>
        given(terms, [data, lock], async ([directory, runs]) => [
          await judgeLedger(directory, runs),
        ]),
    },
    {
      name: 'progress',
      look: () =>
        given(terms, [data], async ([{ log }]) => [
          judgeEmbeddedProgress({
            settled: await log.committed(),
            end: await log.end(TOPICS.samples),
          }),
        ]),
    },
    {
      name: 'control',
      look: () =>
        given(terms, [data], async ([{ log }]) => [
          judgeControl(await controlOf({ controlLog: () => log.read(TOPICS.control) })),
        ]),
    },
  ];
  return {
    checks,
    close: async () => {
      await (await data.value().catch(() => undefined))?.close();
    },
  };
}

/** Held for the moment of the question: a router that starts just then is refused, and says why. */
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

export function judgeDisk(free: number): Finding {
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
): Promise<Finding> {
  const check = `site ${identity.site}`;
  try {
    await verifySite(data.sitePath(identity.site), identity);
    return ok(check, 'there, and its folder is its own');
  } catch (error) {
    return explain(check, error);
  }
}

async function judgeLedger(data: DataDirectory, runs: boolean): Promise<Finding> {
  const ledgers = await embeddedLedgers(data);
  const look = await lookAtLedger(readOf(ledgers, 0), await ledgers.verifierKey(0));
  return judgeEmbeddedLedger({
    size: look.size ?? 0,
    events: Number(await data.log.end(TOPICS.audit)),
    runs,
  });
}

/** One partition whose offsets have no gaps: its ledger's size says how far it is. Asked for after the ledger, the log can only be further. */
export function judgeEmbeddedLedger({
  size,
  events,
  runs,
}: {
  readonly size: number;
  readonly events: number;
  readonly runs: boolean;
}): Finding {
  const found = `${grouped(size)} entries for ${grouped(events)} events`;
  if (size > events)
    return wrong(
      'ledger',
      found,
      "The audit log lost its end, or the ledger is another log's: residency audit fsck, and restore the log from a backup.",
    );
  if (size < events && !runs)
    return wrong(
      'ledger',
      found,
      'residency start, or residency route --once, adds what is missing.',
    );
  return ok('ledger', found);
}

/** `settled`: the last offset; `null`: none. */
export function judgeEmbeddedProgress({
  settled,
  end,
}: {
  readonly settled: bigint | null;
  readonly end: bigint;
}): Finding {
  const waiting = Number(end - ((settled ?? -1n) + 1n));
  if (waiting < 0)
    return wrong(
      'progress',
      `settled up to ${settled}, and the log ends at ${end}: it lost its end`,
      'Restore the data directory from a backup.',
    );
  return ok(
    'progress',
    waiting === 0
      ? 'nothing waits'
      : `${counted(waiting, 'record')} wait${waiting === 1 ? 's' : ''} to be routed`,
  );
}
