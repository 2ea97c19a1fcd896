import { checkTopics } from '@residency/adapter-kafka';
import { verifyS3Site } from '@residency/adapter-s3';
import type { Configuration } from '@residency/configuration';
import { compareClocks, localClock } from './clocks.ts';
import type { ClockReading } from './clocks.ts';
import { clusterLedgerChecks } from './cluster-ledger-checks.ts';
import { ANSWER_WITHIN_MS } from './cluster-parts.ts';
import type { ClusterDeps, ClusterParts } from './cluster-parts.ts';
import { explain } from './explain.ts';
import { ok, unknown, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { judgeConsentView } from './judge-consent-view.ts';
import { judgeControl } from './judge-control.ts';
import { judgeKeys, judgePrivateKeys } from './judge-keys.ts';
import { judgePolicy, judgePolicySites, regionsOf } from './judge-policy.ts';
import { judgeProgress } from './judge-progress.ts';
import { Part, given, within } from './part.ts';
import { clockOfAnswer, clockOfHttp } from './read-clocks.ts';
import { judgeReadiness } from './readiness.ts';
import { partitionProgress } from './partition-progress.ts';
import type { Check } from './run-checks.ts';
import { judgeConfiguration, says, settingsPart } from './settings-parts.ts';
import { judgeTicks } from './ticks.ts';

type Site = Configuration['sites'][number];

/** In the order they are told. */
export function clusterChecks(deps: ClusterDeps, parts: ClusterParts): readonly Check[] {
  return [
    // oxlint-disable-next-line typescript/require-await -- what it throws is a finding
    { name: 'configuration', look: async () => judgeConfiguration(deps.file) },
    ...kafkaChecks(deps, parts),
    ...redisChecks(deps, parts),
    ...siteChecks(deps, parts),
    clocksCheck(deps, parts),
    ...policyChecks(deps, parts),
    ...clusterLedgerChecks(deps, parts),
    ...progressChecks(deps, parts),
    ...serviceChecks(deps),
  ];
}

function kafkaChecks(
  { terms, diagnostics }: ClusterDeps,
  { kafka, kafkaSettings, ticks }: ClusterParts,
): readonly Check[] {
  return [
    {
      name: 'Kafka',
      look: async () => {
        const { clusterId, name } = await kafka.value();
        return [ok('Kafka', `cluster ${clusterId}, log ${name}`)];
      },
    },
    {
      name: 'topics',
      look: () =>
        given(terms, [kafkaSettings, kafka], async ([settings]) => {
          const differences = await checkTopics(
            { ...settings, requestTimeoutMs: ANSWER_WITHIN_MS },
            diagnostics,
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
    ...ticks.map((tick): Check => ({
      name: tick.name,
      look: async () => [judgeTicks(tick.name, await tick.value())],
    })),
  ];
}

function redisChecks({ terms, session }: ClusterDeps, { redis }: ClusterParts): readonly Check[] {
  return [
    {
      name: 'Redis',
      look: async () => {
        await redis.value();
        return [ok('Redis', 'answers, and evicts nothing')];
      },
    },
    {
      name: 'consent view',
      look: () =>
        given(terms, [redis], async ([view]) => [
          judgeConsentView(await view.position(), session.now()),
        ]),
    },
  ];
}

/** A line for each site and each of the credentials that are here. */
function siteChecks({ terms }: ClusterDeps, { sites, readers }: ClusterParts): readonly Check[] {
  const each = (
    name: string,
    part: Part<readonly Site[]>,
    chosen: (site: Site) => boolean,
  ): Check => ({
    name,
    look: async () =>
      await Promise.all(
        (await part.needed()).filter(chosen).map(async (settings) => {
          const check = `site ${settings.site} (${name === 'readers' ? 'reader' : 'writer'})`;
          try {
            await within(terms, () =>
              verifyS3Site({
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
      ),
  });
  return [
    each('readers', readers, () => true),
    each('writers', sites, ({ credentials }) => credentials !== undefined),
  ];
}

function clocksCheck(
  { terms, session: { now } }: ClusterDeps,
  { ticks, redis, readers, routing }: ClusterParts,
): Check {
  const look = async (): Promise<readonly Finding[]> => {
    const places = await readers.value().catch((): readonly Site[] => []);
    const ofRedis = new Part('Redis', () =>
      given(
        terms,
        [redis],
        async ([view]) => await clockOfAnswer('Redis', now, () => view.clock()),
      ),
    );
    const ofStores = [...storesOf(places)].map(
      ([url, sites]) =>
        new Part(`store of ${sites.join(', ')}`, () =>
          within(terms, (signal) =>
            clockOfHttp(`store of ${sites.join(', ')}`, new URL(url), { now, signal }),
          ),
        ),
    );
    const readings: ClockReading[] = [localClock('this machine')];
    const untold: Finding[] = [];
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
  return { name: 'clocks', look };
}

/** Each store once. */
function storesOf(places: readonly Site[]): ReadonlyMap<string, readonly string[]> {
  const stores = new Map<string, string[]>();
  for (const { site, endpoint, awsRegion } of places) {
    const url = endpoint ?? `https://s3.${awsRegion}.amazonaws.com`;
    stores.set(url, [...(stores.get(url) ?? []), site]);
  }
  return stores;
}

function policyChecks(
  { terms, session }: ClusterDeps,
  { policies, documents, sites, keys, keysSettings }: ClusterParts,
): readonly Check[] {
  return [
    { name: 'policy', look: async () => judgePolicy(await policies.value(), session.now()) },
    {
      name: "policy's sites",
      look: () =>
        given(terms, [documents, sites], ([all, places]) => judgePolicySites(all, places)),
    },
    {
      name: 'keys',
      look: () =>
        given(terms, [documents, keys], ([all, directory]) =>
          judgeKeys(regionsOf(all), (region) => directory.newest(region)),
        ),
    },
    {
      name: 'private keys',
      look: () =>
        given(terms, [keysSettings], async ([{ directory }]) => [
          await judgePrivateKeys(directory),
        ]),
    },
  ];
}

function progressChecks(
  { terms, session }: ClusterDeps,
  { kafka, control }: ClusterParts,
): readonly Check[] {
  return [
    { name: 'control', look: async () => [judgeControl(await control.value())] },
    {
      name: 'progress',
      look: async () => {
        const mode = (await control.value().catch(() => undefined))?.mode ?? 'running';
        return await given(terms, [kafka], async ([log]) =>
          judgeProgress(await partitionProgress(log), { mode, now: session.now() }),
        );
      },
    },
  ];
}

function serviceChecks({ terms, file }: ClusterDeps): readonly Check[] {
  if (!says(file, 'status')) return [];
  const status = settingsPart(file, 'status');
  return [
    {
      name: 'services',
      look: async () =>
        await Promise.all(
          (await status.needed()).metricsUrls.map((url) => judgeReadiness(terms, url)),
        ),
    },
  ];
}
