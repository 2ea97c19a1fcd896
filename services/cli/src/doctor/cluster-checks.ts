import { checkTopics } from '@residency/adapter-kafka';
import { checkReplacingS3Site, checkS3Site, verifyS3Site } from '@residency/adapter-s3';
import type { S3SiteSettings } from '@residency/adapter-s3';
import type { Configuration } from '@residency/configuration';
import { TOPICS, sitesOut } from '@residency/contracts';
import { assess, ok, unknown, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import { compareClocks, localClock } from './clocks.ts';
import type { ClockReading } from './clocks.ts';
import { clusterLedgerChecks } from './cluster-ledger-checks.ts';
import { observeService } from '../probing/readiness.ts';
import { diagnosticsOf } from '../cluster/cluster.ts';
import { readConfigFile } from '../cluster/config-file.ts';
import type { Session } from '../terminal/session.ts';
import { assessed } from './assessed.ts';
import { ANSWER_WITHIN_MS, clusterParts } from './cluster-parts.ts';
import type { ClusterDeps, ClusterParts } from './cluster-parts.ts';
import { judgeKeys, judgePrivateKeys } from './judge-keys.ts';
import { judgePassedOver, unreadablePolicies } from './judge-passed-over.ts';
import { judgePolicySites, regionsOf } from './judge-policy.ts';
import { Part, given, answered } from './part.ts';
import type { CheckOptions } from './part.ts';
import { clockOfAnswer, clockOfHttp } from './read-clocks.ts';
import { explain } from './run-checks.ts';
import type { Check } from './run-checks.ts';
import { judgeConfiguration, says, settingsPart } from './settings-parts.ts';
import { judgeTicks } from './ticks.ts';

type Site = Configuration['sites'][number];

/**
 * The checks of the cluster that the file at `path` and the environment describe. Nothing is
 * connected before a check runs.
 */
export async function openClusterChecks(
  session: Session,
  path: string,
  options: CheckOptions,
): Promise<{ readonly checks: readonly Check[]; close(): Promise<void> }> {
  const deps = {
    session,
    options,
    file: await readConfigFile(session, path),
    diagnostics: diagnosticsOf(session),
  };
  const parts = clusterParts(deps);
  return { checks: clusterChecks(deps, parts), close: parts.close };
}

/** In the order in which their results are shown. */
function clusterChecks(deps: ClusterDeps, parts: ClusterParts): readonly Check[] {
  return [
    // oxlint-disable-next-line typescript/require-await -- what it throws is a result
    { name: 'configuration', run: async () => judgeConfiguration(deps.file) },
    ...kafkaChecks(deps, parts),
    ...redisChecks(parts),
    ...siteChecks(deps, parts),
    clocksCheck(deps, parts),
    ...policyChecks(deps, parts),
    ...clusterLedgerChecks(deps, parts),
    ...progressChecks(deps, parts),
    ...serviceChecks(deps),
  ];
}

function kafkaChecks(
  { options, diagnostics }: ClusterDeps,
  { kafka, kafkaSettings, readers, ticks, assessment }: ClusterParts,
): readonly Check[] {
  return [
    {
      name: 'Kafka',
      run: async () => {
        const { clusterId, name } = await kafka.value();
        return [ok('Kafka', `cluster ${clusterId}, log ${name}`)];
      },
    },
    {
      name: 'topics',
      run: () =>
        given(options, [kafkaSettings, kafka, readers], async ([settings, , sites]) => {
          const differences = await checkTopics(
            { ...settings, requestTimeoutMs: ANSWER_WITHIN_MS },
            diagnostics,
            [...new Set(sites.map(({ region }) => region))],
          );
          if (differences.length === 0) return [ok('topics', 'all as they must be')];
          return differences.map(({ topic, setting, found, expected }) =>
            wrong(
              'topics',
              setting === 'topic'
                ? `${topic} is ${found}`
                : `${topic} has ${setting} ${found}, expected ${expected}`,
              setting === 'topic'
                ? 'residency topics create.'
                : "Change it with Kafka's own tools.",
            ),
          );
        }),
    },
    assessed(assessment, 'logs'),
    assessed(assessment, 'transactions'),
    assessed(assessment, 'append times'),
    ...ticks.map((tick): Check => ({
      name: tick.name,
      run: async () => [judgeTicks(tick.name, await tick.value())],
    })),
  ];
}

function redisChecks({ redis, assessment }: ClusterParts): readonly Check[] {
  return [
    {
      name: 'Redis',
      run: async () => {
        await redis.value();
        return [ok('Redis', 'answers, and evicts nothing')];
      },
    },
    assessed(assessment, 'consent view'),
  ];
}

const NONE: ReadonlySet<string> = new Set();

/** A result for each site and each set of its credentials that is configured. */
function siteChecks(
  { options }: ClusterDeps,
  { sites, readers, custodians, control }: ClusterParts,
): readonly Check[] {
  const each = (
    name: keyof typeof CREDENTIALS,
    part: Part<readonly Site[]>,
    verify: (settings: S3SiteSettings) => Promise<void>,
    chosen: (site: Site) => boolean,
  ): Check => ({
    name,
    run: async () => {
      // If that is not known, all are asked.
      const out = await control.needed().then(sitesOut, () => NONE);
      return await Promise.all(
        (await part.needed()).filter(chosen).map(async (settings) => {
          const check = `site ${settings.site} (${CREDENTIALS[name]})`;
          if (out.has(settings.site)) return ok(check, 'is out of service, and was not asked');
          try {
            await answered(options, () =>
              verify({
                ...settings,
                timeouts: { connectMs: ANSWER_WITHIN_MS, requestMs: ANSWER_WITHIN_MS },
                attempts: 1,
              }),
            );
            return ok(check, `answers, and bucket ${settings.bucket} is its own`);
          } catch (error) {
            return explain(check, error);
          }
        }),
      );
    },
  });
  return [
    each('readers', readers, verifyS3Site, () => true),
    each('writers', sites, checkS3Site, isGiven),
    each('custodians', custodians, checkReplacingS3Site, isGiven),
  ];
}

const CREDENTIALS = { readers: 'reader', writers: 'writer', custodians: 'custodian' } as const;

function isGiven({ credentials }: Site): boolean {
  return credentials !== undefined;
}

function clocksCheck(
  { options, session: { now } }: ClusterDeps,
  { ticks, redis, readers, routing }: ClusterParts,
): Check {
  const run = async (): Promise<readonly CheckResult[]> => {
    const places = await readers.value().catch((): readonly Site[] => []);
    const ofRedis = new Part('Redis', () =>
      given(
        options,
        [redis],
        async ([view]) => await clockOfAnswer('Redis', now, () => view.clock()),
      ),
    );
    const ofStores = [...storesOf(places)].map(
      ([url, sites]) =>
        new Part(`store of ${sites.join(', ')}`, () =>
          answered(options, (signal) =>
            clockOfHttp(`store of ${sites.join(', ')}`, new URL(url), { now, signal }),
          ),
        ),
    );
    const readings: ClockReading[] = [localClock('this machine')];
    const untold: CheckResult[] = [];
    await Promise.all(
      [...ticks, ofRedis, ...ofStores].map(async (part) => {
        try {
          const reading = await part.value();
          if (reading === undefined) untold.push(unknown('clocks', `${part.name}: none to read`));
          else readings.push(reading);
        } catch (error) {
          untold.push(unknown('clocks', `${part.name}: ${explain('clocks', error).found}`));
        }
      }),
    );
    const { watermarkMarginMs } = await routing.needed();
    return [
      ...(readings.length > 1
        ? compareClocks(
            readings.toSorted((a, b) => a.clock.localeCompare(b.clock)),
            watermarkMarginMs,
          )
        : []),
      ...untold.toSorted((a, b) => a.found.localeCompare(b.found)),
    ];
  };
  return { name: 'clocks', run };
}

/** The distinct stores with their sites. */
function storesOf(places: readonly Site[]): ReadonlyMap<string, readonly string[]> {
  const stores = new Map<string, string[]>();
  for (const { site, endpoint, awsRegion } of places) {
    const url = endpoint ?? `https://s3.${awsRegion}.amazonaws.com`;
    stores.set(url, [...(stores.get(url) ?? []), site]);
  }
  return stores;
}

function policyChecks(
  { options }: ClusterDeps,
  { assessment, documents, sites, keys, keysSettings }: ClusterParts,
): readonly Check[] {
  return [
    assessed(assessment, 'policy'),
    {
      name: "policy's sites",
      run: () =>
        given(options, [documents, sites], ([all, places]) => judgePolicySites(all, places)),
    },
    {
      name: 'keys',
      run: () =>
        given(options, [documents, keys], ([all, directory]) =>
          judgeKeys(regionsOf(all), (region) => directory.newest(region)),
        ),
    },
    {
      name: 'private keys',
      run: () =>
        given(options, [keysSettings], async ([{ directory }]) => [
          await judgePrivateKeys(directory),
        ]),
    },
  ];
}

function progressChecks(
  { options }: ClusterDeps,
  { kafka, control, assessment }: ClusterParts,
): readonly Check[] {
  return [
    assessed(assessment, 'control'),
    {
      name: 'passed over',
      run: () =>
        given(options, [kafka, control], async ([log, { passedOver = 0 }], signal) =>
          judgePassedOver({
            [TOPICS.policy]: await unreadablePolicies(
              log.read(TOPICS.policy, { until: 'end', signal }),
            ),
            [TOPICS.control]: passedOver,
          }),
        ),
    },
    assessed(assessment, 'progress'),
  ];
}

function serviceChecks({ options, file }: ClusterDeps): readonly Check[] {
  if (!says(file, 'status')) return [];
  const status = settingsPart(file, 'status');
  return [
    {
      name: 'services',
      run: async () =>
        assess({
          services: await Promise.all(
            (await status.needed()).metricsUrls.map((url) =>
              observeService(url, options.patienceMs, { signal: options.signal }),
            ),
          ),
        }),
    },
  ];
}
