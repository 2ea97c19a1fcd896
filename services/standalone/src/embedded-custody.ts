import { inEachCustodyLog } from '@residency/auditor';
import { codeOf, hasCode, remedyOf } from '@residency/coded-error';
import { regionOfCustody } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { RegisterFile } from '@residency/adapter-filesystem';
import { keepCustody } from '@residency/custodian';
import type { KeepCustodyDeps, KeptRegister } from '@residency/custodian';
import { Custodian } from '@residency/custodianship';
import type { CustodianDeps, RoundReport } from '@residency/custodianship';
import { defined } from '@residency/defined';
import type { CustodianMetrics, Logger } from '@residency/telemetry';
import { pause } from '@residency/waiting';
import type { DataDirectory } from './data-directory.ts';
import { EmbeddedControlView } from './embedded-control-view.ts';
import type { EmbeddedSites } from './embedded-sites.ts';
import { erasedRecords } from './erased-records.ts';
import { regionsOf } from './regions-of.ts';

export interface EmbeddedCustodyDeps {
  readonly data: DataDirectory;
  /** Of the holder of the routing lock. */
  readonly sites: EmbeddedSites;
  /** The control state by now. */
  readonly control: () => ControlState;
}

export interface KeptCustodyDeps extends EmbeddedCustodyDeps {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly metrics: CustodianMetrics;
  /** Called with each error before a retry, and with `undefined` once a round ends. */
  readonly waits: (error: unknown) => void;
  /** As in `KeepCustodyDeps`. */
  readonly active?: NonNullable<KeepCustodyDeps['active']>;
}

const ROUND_MS = 1_000;
const RETRY_MS = 5_000;

/** How often the policies are read for regions that a version added. */
const LOOK_EVERY_MS = 1_000;

/**
 * Pays what the sites of a data directory owe, in all regions, also those that a policy version adds
 * meanwhile, until `signal` is aborted. Rejects with an error that needs a person.
 */
export async function keepEmbeddedCustody(deps: KeptCustodyDeps): Promise<void> {
  const policies = deps.data.log.policyView();
  const dropErased = erasedRecords(deps.data.log, deps.logger);
  await inEachCustodyLog(
    {
      policies: async () => (await policies.read()).versions,
      signal: deps.signal,
      everyMs: LOOK_EVERY_MS,
      waits: (error) => {
        // A look that goes well says nothing of the rounds.
        if (error !== undefined) deps.waits(error);
      },
    },
    async ({ topic }, signal) => {
      await keepRegion(deps, regionOfCustody(topic) ?? topic, dropErased, signal);
    },
  );
}

async function keepRegion(
  deps: KeptCustodyDeps,
  region: string,
  dropErased: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await keepCustody({
        ...(await custodianDeps(deps, region)),
        register: registerOf(deps.data, region),
        intervalMs: ROUND_MS,
        signal,
        ...defined({ active: deps.active }),
        logger: deps.logger,
        metrics: deps.metrics,
        rounded: async () => {
          await dropErased();
          deps.waits(undefined);
        },
      });
    } catch (error) {
      if (remedyOf(error) !== 'retry') throw error;
      deps.waits(error);
      await pause(RETRY_MS, signal);
    }
  }
}

/** The copies that were made, and those still owed. */
export interface PaidDebts {
  readonly copied: number;
  readonly owed: number;
}

export interface PayOnceDeps extends Omit<EmbeddedCustodyDeps, 'control'> {
  /** Called with a sentence for the person at the terminal. */
  readonly note?: (sentence: string) => void;
}

/**
 * Pays what can be paid now, and carries out what is ordered, in all regions. Intake records of erased
 * samples go even if a region fails; then its error is thrown.
 */
export async function payOnce(deps: PayOnceDeps, signal: AbortSignal): Promise<PaidDebts> {
  const drop = (): Promise<void> => dropErasedOnce(deps.data, deps.note);
  let paid: PaidDebts;
  try {
    paid = await payRegions(deps, signal);
  } catch (error) {
    await drop().catch(() => undefined);
    throw error;
  }
  await drop();
  return paid;
}

async function payRegions(
  { data, sites, note = () => undefined }: PayOnceDeps,
  signal: AbortSignal,
): Promise<PaidDebts> {
  const state = await new EmbeddedControlView(data.log).read();
  const deps = { data, sites, control: () => state };
  let [copied, owed] = [0, 0];
  for (const region of (await regionsOf(data)).keys()) {
    const custodian = await Custodian.begin({
      ...(await custodianDeps(deps, region)),
      register: {
        ...registerOf(data, region),
        passedOver: (code) => {
          note(
            `The register of ${region} is passed over, and both logs are read from their start (${code}).`,
          );
        },
        opened: () => undefined,
        saved: () => undefined,
        failed: (error) => {
          note(`The register of ${region} cannot be saved (${codeOf(error) ?? 'UNKNOWN'}).`);
        },
      },
    });
    let report: RoundReport;
    do {
      report = await custodian.round(signal);
      copied += report.copied;
    } while (report.busy && !signal.aborted);
    await custodian.keep();
    for (const debts of report.debts.values()) owed += debts.owed;
  }
  return { copied, owed };
}

/** The copies stay made even if this must wait. */
async function dropErasedOnce(
  { log }: Pick<DataDirectory, 'log'>,
  note: PayOnceDeps['note'] = () => undefined,
): Promise<void> {
  try {
    await log.dropErased();
  } catch (error) {
    if (!hasCode(error, 'LOG_BUSY')) throw error;
    note(
      'Intake records of erased samples may still be on the disk, because another process reads the log. The next run tries again.',
    );
  }
}

/** In the data directory. Its log has no topic ids; a copy of the directory has a copy of both. */
function registerOf({ path }: DataDirectory, region: string): KeptRegister {
  return { store: new RegisterFile(path, region), topics: {} };
}

async function custodianDeps(
  { data, sites, control }: EmbeddedCustodyDeps,
  region: string,
): Promise<CustodianDeps> {
  return {
    custody: await data.log.custodyLog(region),
    audit: data.log.auditFeed(),
    sites: { site: (name) => sites.custodianSite(name, region) },
    outcomes: data.log.settledOutcomes(),
    policies: data.log.policyView(),
    control,
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
  };
}
