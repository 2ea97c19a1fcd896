import { codeOf } from '@residency/coded-error';
import {
  ARBITER_CLOSING,
  SITE_IN,
  SITE_OUT,
  SITE_REPAIR_ORDERED,
  TOPICS,
  controlEntry,
  serviceOf,
  sitesInService,
  submissionOfKey,
} from '@residency/contracts';
import type { ControlEvent, ControlState } from '@residency/contracts';
import type { KafkaLog } from '@residency/adapter-kafka';
import { KeySet, changeArbiter, findClaims, registerTopics } from '@residency/custodianship';
import type { FoundClaims } from '@residency/custodianship';
import { CUSTODY_REGION } from '../names.ts';
import type { SimProcess } from '../process.ts';
import { openLog, pause, retryUntilReady } from './log.ts';

export interface SiteChange {
  readonly site: string;
  readonly awayMs: number;
  /** The region's sites by the policy in force. */
  readonly sites: () => readonly string[];
  /** Called right before the site serves again. */
  readonly back: () => void;
  /** Called once it does. */
  readonly done: () => void;
}

const LOOK_MS = 200;

/**
 * A person at the command line who takes a site out of service and later in again. Whoever is killed
 * on the way begins anew and goes on from what the control log says.
 */
export function operator(change: SiteChange): (process: SimProcess) => Promise<void> {
  return async (process) => {
    const log = await openLog(process, 'residency-cli');
    try {
      await retryUntilReady(process, () => told(process, () => takeOut(process, log, change)));
      await pause(change.awayMs);
      await retryUntilReady(process, () => told(process, () => takeIn(process, log, change)));
      change.done();
    } finally {
      await log.close();
    }
  };
}

/** What fails is in the story. */
async function told(process: SimProcess, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    const { world, name } = process;
    world.narrate(world.scheduler.now, name, `fails: ${codeOf(error) ?? String(error)}`);
    throw error;
  }
}

async function append(
  { random }: SimProcess,
  log: KafkaLog,
  ...events: ControlEvent[]
): Promise<void> {
  await log.append(events.map((event) => controlEntry(event, hex(random), hex(random))));
}

async function controlOf(log: KafkaLog): Promise<ControlState> {
  return await log.controlView().readToEnd();
}

async function takeOut(process: SimProcess, log: KafkaLog, change: SiteChange): Promise<void> {
  const { site, sites } = change;
  const region = CUSTODY_REGION;
  const service = serviceOf(await controlOf(log), region);
  const serving = sitesInService(service, sites());
  const next = service.closing?.next ?? serving[1];
  const act = service.closing?.act ?? process.random.bytes(8).toString('hex');
  if (!serving.includes(site) || next === undefined) return;
  if (serving[0] !== site) {
    await append(process, log, { type: SITE_OUT, data: { act, region, site, reason: 'a drill' } });
    return;
  }
  if (service.closing === undefined)
    await append(process, log, {
      type: ARBITER_CLOSING,
      data: { act, region, site, next, reason: 'a drill' },
    });
  await changeArbiter(
    { act, region, next, acceptLoss: true },
    {
      append: (event) => append(process, log, event),
      fence: async () => {
        for (const partition of (await log.ends(TOPICS.audit)).keys())
          await (await log.auditRestorer(partition)).close();
      },
      findClaims: () =>
        claimsOf(process, log, [next, ...serving.filter((one) => one !== site && one !== next)]),
      newId: () => process.random.bytes(8).toString('hex'),
    },
  );
  process.world.outcomes.count('arbiter changed');
}

/** From the register of one of the custodians, if there is one by now. */
async function claimsOf(
  process: SimProcess,
  log: KafkaLog,
  sites: readonly [string, ...string[]],
): Promise<FoundClaims> {
  const {
    world,
    name,
    stop: { signal },
  } = process;
  const [bytes] = world.registers.values();
  return await findClaims({
    sites,
    audit: log.auditFeed(signal),
    custody: log.custodyRecords(CUSTODY_REGION, signal),
    listed: Promise.resolve(new Map(sites.map((one) => [one, listOf(process, one)]))),
    register: {
      topics: await registerTopics(CUSTODY_REGION, (topic) => log.topicId(topic)),
      store: {
        read: async () => (bytes === undefined ? undefined : { bytes: Buffer.from(bytes), at: 0 }),
      },
      passedOver: (code) => {
        world.narrate(world.scheduler.now, name, `passes the register over: ${code}`);
      },
    },
  });
}

async function takeIn(process: SimProcess, log: KafkaLog, change: SiteChange): Promise<void> {
  const { site, sites, back } = change;
  const region = CUSTODY_REGION;
  for (;;) {
    const service = serviceOf(await controlOf(log), region);
    if (service.closing === undefined) {
      if (sitesInService(service, sites()).includes(site)) {
        back();
        return;
      }
      break;
    }
    await pause(LOOK_MS);
  }
  back();
  const act = process.random.bytes(8).toString('hex');
  await append(
    process,
    log,
    { type: SITE_IN, data: { act, region, site } },
    { type: SITE_REPAIR_ORDERED, data: { act, region, site } },
  );
  process.world.outcomes.count('site in');
}

function listOf({ world }: SimProcess, site: string): KeySet {
  const listed = new KeySet();
  for (const key of world.bucket(site).objects.keys()) {
    const submission = submissionOfKey(key);
    if (submission !== undefined) listed.add(submission);
  }
  return listed;
}

function hex(random: SimProcess['random']): string {
  return random.bytes(16).toString('hex');
}
