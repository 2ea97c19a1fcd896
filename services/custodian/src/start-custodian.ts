import { RegisterFile } from '@residency/adapter-filesystem';
import { openServiceLog } from '@residency/adapter-kafka';
import { S3CustodianSites } from '@residency/adapter-s3';
import { INITIAL_CONTROL, UNPAID_CODES } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import { retryUntilReady } from '@residency/waiting';
import type { Logger, Metrics } from '@residency/telemetry';
import type { CustodianSettings } from './config.ts';
import { leadCustody } from './lead-custody.ts';

export interface CustodianDeps {
  readonly settings: CustodianSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Serves probes and metrics from the start. Of all custodians of a region one pays what its sites
 * owe; the others are ready too, and wait.
 */
export async function startCustodian(deps: CustodianDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  return await runWork({
    name: 'custody',
    http: settings.http,
    logger,
    metrics,
    work: (context) => keep(deps, context),
  });
}

async function keep(
  { settings, logger, metrics }: CustodianDeps,
  { signal, waits, started }: WorkContext,
): Promise<void> {
  const { region, intervalMs, stateDirectory } = settings.custody;
  const names = settings.custodians.map(({ site }) => site);
  const custodianMetrics = metrics.custody({ sites: names, unpaidCodes: UNPAID_CODES });
  const { requested: onRequest } = metrics.requests(names);
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
  const sites = new S3CustodianSites(settings.custodians, { onRequest });
  try {
    await retryUntilReady(() => control.read(), { signal, waits });
    waits(undefined);
    started();
    await leadCustody({
      log,
      region,
      sites: { site: (site) => sites.site(site, region) },
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
        waits(undefined);
      },
    });
  } finally {
    await log.close();
    sites.close();
  }
}
