import { INITIAL_CONTROL } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { S3CustodianSites } from '@residency/adapter-s3';
import { codeOf } from '@residency/coded-error';
import { leadCustody } from '@residency/custodian';
import type { LeadCustodyDeps } from '@residency/custodian';
import type { CustodianSites } from '@residency/custodianship';
import { CUSTODY_REGION } from '../names.ts';
import type { Plan } from '../plan.ts';
import type { SimProcess } from '../process.ts';
import { callsOf, failure } from '../s3/calls.ts';
import { diskCustodianSites } from './disk-sites.ts';
import { diagnosticsOf, openLog } from './log.ts';
import { TIMES } from './router.ts';
import { siteSettings } from './site-settings.ts';

/** So long a custodian rests after a round without copies. */
const INTERVAL_MS = 2_000;
/** Few, as the records of a world are. */
const REGISTER_AFTER = 5;

/** As `services/custodian` composes it, but for probes and metrics. */
export async function custodian(process: SimProcess): Promise<void> {
  const {
    world,
    stop: { signal },
  } = process;
  const log = await openLog(process, 'residency-custodian');
  let state: ControlState = INITIAL_CONTROL;
  // A world without orders is what it would be if nobody read them.
  if (takesOrders(world.plan))
    log.controlView((now) => {
      state = now;
    });
  const buckets = new S3CustodianSites(siteSettings(CUSTODY_REGION), {
    open: ({ site }, hooks) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what PurgingCalls asks of a bucket, simulated
      return callsOf(world.entrance(site), hooks) as ReturnType<Open>;
    },
  });
  const opened: CustodianSites = { site: (site) => buckets.site(site, CUSTODY_REGION) };
  const sites = world.plan.disks
    ? diskCustodianSites(
        opened,
        (site) => world.entrance(site),
        (site) => failure(site, 'SITE_UNREACHABLE'),
      )
    : opened;
  try {
    await leadCustody({
      log,
      region: CUSTODY_REGION,
      options: TIMES,
      sites,
      control: () => state,
      now: Date.now,
      elapsed: () => performance.now(),
      random: Math.random,
      intervalMs: INTERVAL_MS,
      // Asking for the topics' ids would change all other worlds.
      ...(takesOrders(world.plan) ? { register: registerOf(process) } : {}),
      signal,
      waits: (error) => {
        if (error !== undefined)
          world.narrate(world.scheduler.now, process.name, `waits: ${codeOf(error)}`);
      },
      logger: { ...diagnosticsOf(process), setLevel: () => undefined },
      metrics: {
        region: () => () => undefined,
        round: () => undefined,
        copied: () => {
          world.outcomes.count('copied');
        },
        closed: () => undefined,
        erased: () => undefined,
        lost: () => undefined,
        tookOver: () => undefined,
        register: () => {
          world.outcomes.count('register');
        },
      },
    });
  } finally {
    await log.close();
    buckets.close();
  }
}

function takesOrders({ siteOut, erases = false }: Plan): boolean {
  return siteOut !== undefined || erases;
}

/** On the machine's disk: a kill leaves what was saved last. */
function registerOf({
  name,
  world: { registers },
}: SimProcess): NonNullable<LeadCustodyDeps['register']> {
  return {
    afterRecords: REGISTER_AFTER,
    store: {
      read: async () => {
        const bytes = registers.get(name);
        return bytes === undefined ? undefined : { bytes: Buffer.from(bytes), at: 0 };
      },
      replace: async (pieces) => {
        const bytes = Buffer.concat([...pieces]);
        registers.set(name, bytes);
        return await Promise.resolve(bytes.length);
      },
    },
  };
}

type Open = NonNullable<NonNullable<ConstructorParameters<typeof S3CustodianSites>[1]>['open']>;
