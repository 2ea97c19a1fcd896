import { FilesystemLedgerStore, KeyDirectory, RegisterFile } from '@residency/adapter-filesystem';
import { openServiceLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3CustodianSites, S3LedgerStore } from '@residency/adapter-s3';
import { INITIAL_CONTROL, UNPAID_CODES } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { CustodianSites } from '@residency/custodianship';
import { runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import type { SettledOutcomes } from '@residency/routing';
import { PemUnwrapper } from '@residency/sealing';
import { retryUntilReady } from '@residency/waiting';
import type { Logger, Metrics } from '@residency/telemetry';
import type { CustodianSettings } from './config.ts';
import { CustodianError } from './custodian-error.ts';
import { leadCustody } from './lead-custody.ts';
import { LooksAtSites } from './looks-at-sites.ts';
import { ActiveDesks } from './vault/active-desks.ts';
import { freshConsents } from './vault/fresh-consents.ts';
import { openVault } from './vault/open-vault.ts';
import { trustIn } from './vault/published-custody-ledger.ts';
import { VAULT_SERVER_ROUTES, startVaultServer } from './vault/start-vault-server.ts';
import { readVaultFolder } from './vault/vault-folder.ts';

export interface CustodianDeps {
  readonly settings: CustodianSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Serves probes and metrics from the start. Of all custodians of a region one pays what its sites
 * owe; the others are ready too, and wait. If samples are given out, the active one gives them out.
 * Throws the errors of `readVaultFolder` and `startVaultServer`.
 */
export async function startCustodian(deps: CustodianDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  const sites = new S3CustodianSites(settings.custodians, {
    onRequest: metrics.requests(settings.custodians.map(({ site }) => site)).requested,
  });
  const front = new VaultFront();
  const common = { name: 'custody', http: settings.http, logger, metrics };
  const work = (context: WorkContext): Promise<void> => keep(deps, context, sites, front);
  const close = (): void => {
    sites.close();
  };
  const { vault } = settings;
  if (vault === undefined) return await runWork({ ...common, work, close });
  const { region } = settings.custody;
  const folder = await readVaultFolder(vault.directory);
  const trust = trustIn(folder.ledgerKeys, { log: settings.kafka.log, region });
  const consents = new RedisConsentView(vault.redis);
  const ledgers =
    vault.ledger.directory === undefined
      ? new S3LedgerStore(vault.ledger.bucket)
      : new FilesystemLedgerStore(vault.ledger.directory);
  const opened = openVault({
    region,
    folder,
    desk: () => front.desks.of(region),
    outcomes: { outcomeOf: (position) => front.requireOutcomes().outcomeOf(position) },
    consents: freshConsents(consents, Date.now),
    sites: { site: (site) => sites.site(site, region) },
    unwrapper: new PemUnwrapper(new KeyDirectory(vault.keys.directory), region),
    ledgers,
    trust,
  });
  return await runWork({
    ...common,
    work,
    serve: (operations) =>
      startVaultServer({
        ...settings.http,
        operations,
        folder,
        vaults: new Map([[region, opened]]),
        result: metrics.vault([region]).answered,
        answered: metrics.http(VAULT_SERVER_ROUTES).answered,
        log: {
          error: (fields, message) => {
            logger.error(message, fields);
          },
        },
      }),
    close: async () => {
      close();
      await consents.close();
      if (ledgers instanceof S3LedgerStore) ledgers.close();
    },
  });
}

/** What the vault needs of the work. */
class VaultFront {
  readonly desks = new ActiveDesks();
  /** Of the log that is open now. */
  outcomes: SettledOutcomes | undefined;

  requireOutcomes(): SettledOutcomes {
    if (this.outcomes !== undefined) return this.outcomes;
    throw new CustodianError({
      code: 'VAULT_STARTING',
      message: 'Expected a custodian that reads Kafka, found one that starts or stops. Ask again.',
      remedy: 'retry',
    });
  }
}

async function keep(
  { settings, logger, metrics }: CustodianDeps,
  { signal, waits, started }: WorkContext,
  sites: S3CustodianSites,
  front: VaultFront,
): Promise<void> {
  const { region, intervalMs, stateDirectory } = settings.custody;
  const names = settings.custodians.map(({ site }) => site);
  const custodianMetrics = metrics.custody({ sites: names, unpaidCodes: UNPAID_CODES });
  let state: ControlState = INITIAL_CONTROL;
  const { log, control } = await openServiceLog({
    service: 'custodian',
    kafka: settings.kafka,
    regions: [region],
    logger,
    signal,
    waits,
    onControl: (now) => {
      state = now;
    },
  });
  front.outcomes = log.settledOutcomes();
  const ofRegion: CustodianSites = { site: (site) => sites.site(site, region) };
  const looks = new LooksAtSites(ofRegion);
  try {
    await retryUntilReady(() => control.read(), { signal, waits });
    waits(undefined);
    started();
    await leadCustody({
      log,
      region,
      sites: ofRegion,
      active: (of, desk) => {
        void looks.look(desk.serving());
        return front.desks.opened(of, desk);
      },
      control: () => state,
      now: Date.now,
      elapsed: () => performance.now(),
      random: Math.random,
      intervalMs,
      ...(stateDirectory === undefined
        ? {}
        : { register: { store: new RegisterFile(stateDirectory, region) } }),
      signal,
      waits,
      logger,
      metrics: custodianMetrics,
      rounded: () => {
        looks.requireNoneRefused();
        waits(undefined);
      },
    });
  } finally {
    front.outcomes = undefined;
    await log.close();
  }
}
