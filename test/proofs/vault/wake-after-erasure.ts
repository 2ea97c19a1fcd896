import { setTimeout as sleep } from 'node:timers/promises';
import { jsonLines } from '../../e2e/residency.ts';
import type { Deployment } from '../../running-deployment/deployment.ts';
import { readTopic } from '../cluster/kcat.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { erasedAt } from './judge-erased.ts';
import type { CustodyRow } from './judge-erased.ts';
import { uuid7 } from './vault-client.ts';
import type { StoredSample, VaultClients, Wanted } from './vault-clients.ts';
import { BRIEF, TOPIC } from './vault-settings.ts';
import type { VaultTally } from './vault-tally.ts';

export interface WakeDeps {
  readonly deployment: Deployment;
  readonly clients: VaultClients;
  readonly random: SeededRandom;
  readonly tally: VaultTally;
  /** Called with the id of each access before it is asked for. */
  readonly asking: (access: string) => void;
}

/** Accesses to the one sample, all of the active custodian. */
const ACCESSES = 4;
/** From one look at the ledger until the custodian is frozen. */
const MOST_DELAY_MS = 200;
/** What the frozen one had sent is with the client by then. */
const DELIVERED_MS = 300;
const PUBLIC_WITHIN_MS = 60_000;
/** The lifetime of the accesses, 30 s for the clocks, and 30 s until the custodian looks again. */
const ERASED_WITHIN_MS = 300_000;
/** Of the request that is open while its custodian is frozen; fetch gives up after 300 s. */
const OPEN_MS = 290_000;

/**
 * Freezes the active custodian once accesses are public whose samples it is about to send, has the
 * sample erased by the other custodian, and wakes the first one while the requests are still open.
 */
export async function wakeAfterErasure(deps: WakeDeps, sample: StoredSample): Promise<void> {
  const { clients, random, tally } = deps;
  const wanted = Array.from({ length: ACCESSES }, () => ({ access: uuid7(), sample }));
  for (const { access } of wanted) deps.asking(access);
  const recorded = await Promise.all(wanted.map((each) => clients.record(each, BRIEF)));
  const active = recorded.at(-1);
  if (active === undefined) return;
  const open = wanted.map((each) => clients.once('GET', each, active, { ms: OPEN_MS }));
  await untilPublic(clients, wanted);
  await sleep(random.below(MOST_DELAY_MS));
  active.freeze();
  try {
    await sleep(DELIVERED_MS);
    await countFrozen(deps, wanted);
    await erase(deps, sample);
    await sleep(random.below(500));
  } finally {
    active.thaw();
  }
  const answers = await Promise.all(open);
  for (const [nth, each] of wanted.entries()) {
    const got = answers[nth];
    if (got?.status !== 200) tally.withheld += 1;
    else if (got.body.equals(sample.bytes)) tally.given += 1;
    else tally.find(`GET ${each.access}: 200 and other bytes`);
    await judgeRefused(deps, each);
  }
  tally.woke += 1;
}

/** Resolves when the published ledger shows one of the accesses, or after a minute. */
async function untilPublic(clients: VaultClients, wanted: readonly Wanted[]): Promise<void> {
  const deadline = performance.now() + PUBLIC_WITHIN_MS;
  // Before its first checkpoint there is no ledger.
  const shown = (): Promise<number> => clients.shown(wanted[0]?.access ?? '').catch(() => 0);
  while ((await shown()) === 0 && performance.now() < deadline) await sleep(10);
}

async function countFrozen({ clients, tally }: WakeDeps, wanted: readonly Wanted[]): Promise<void> {
  for (const { access } of wanted) {
    if ((await clients.shown(access)) === 0) continue;
    tally.frozen += 1;
    if (!clients.begun.has(access)) tally.frozenBeforeFirstByte += 1;
  }
}

/** Orders the erasure, and waits until its event is on the log. */
async function erase({ deployment, tally }: WakeDeps, sample: StoredSample): Promise<void> {
  const { submission } = sample;
  const order = ['erase', '--submission', submission, '--reason', 'asked for', '--json'];
  const plan = await deployment.residency(...order);
  const digest = String(jsonLines(plan.stdout).at(-1)?.['digest']);
  const { code, stderr } = await deployment.residency(...order, '--no-wait', '--yes', digest);
  if (code !== 0) tally.find(`erase ended with ${String(code)}: ${stderr.slice(-500)}`);
  const deadline = performance.now() + ERASED_WITHIN_MS;
  while (!erasedAt(await custodyRows(deployment)).has(submission)) {
    if (performance.now() > deadline) {
      tally.find(`${submission}: not erased in time`);
      return;
    }
    await sleep(1_000);
  }
}

/** Whichever custodian is asked now, it refuses. */
async function judgeRefused({ clients, tally }: WakeDeps, wanted: Wanted): Promise<void> {
  const { status, code = '' } = await clients.untilAnswered('GET', wanted);
  if (!['SAMPLE_ERASED', 'ACCESS_EXPIRED'].includes(code))
    tally.find(`GET ${wanted.access} after the erasure: ${status} ${code}`);
}

/** Zurich's custody log as kcat reads it. */
export async function custodyRows({
  env,
  stack,
}: Pick<Deployment, 'env' | 'stack'>): Promise<readonly CustodyRow[]> {
  return await readTopic(stack.kafka.brokers, `${env['RESIDENCY_TOPIC_PREFIX'] ?? ''}${TOPIC}`);
}
