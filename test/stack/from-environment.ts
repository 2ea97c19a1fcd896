import { TEST_SITES } from './stack.ts';
import type { S3Endpoint, Stack, StackSites } from './stack.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names a site's server. */
const variable = (site: string): string =>
  `RESIDENCY_TEST_S3_${site.toUpperCase().replaceAll('-', '_')}`;

/** The servers that the environment names (README.md). */
export function fromEnvironment(environment: Environment): Partial<Stack> {
  const [kafka, redis] = [environment['RESIDENCY_TEST_KAFKA'], environment['RESIDENCY_TEST_REDIS']];
  const sites = TEST_SITES.filter((site) => environment[variable(site)] !== undefined);
  if (sites.length > 0 && sites.length < TEST_SITES.length)
    throw new Error(
      `Expected ${TEST_SITES.map(variable).join(', ')} together, found only some of them; set all or none.`,
    );
  return {
    ...(kafka === undefined ? {} : { kafka: { brokers: kafka.split(',') } }),
    ...(redis === undefined ? {} : { redis: { url: redis } }),
    ...(sites.length === 0
      ? {}
      : {
          sites: Object.fromEntries(
            sites.map((site) => [site, s3Endpoint(variable(site), environment)]),
          ) as StackSites,
        }),
  };
}

/**
 * `http://ACCESS-KEY:SECRET@host:port/?region=eu-central-1&style=path`, key and secret
 * percent-encoded.
 */
function s3Endpoint(name: string, environment: Environment): S3Endpoint {
  const url = URL.parse(environment[name] ?? '');
  if (url === null || url.username === '' || url.password === '') {
    throw new Error(
      `Expected ${name} to be http://ACCESS-KEY:SECRET@host:port/?region=...&style=path, found something else; see test/stack/README.md.`,
    );
  }
  return {
    endpoint: url.origin,
    awsRegion: url.searchParams.get('region') ?? 'us-east-1',
    accessKeyId: decodeURIComponent(url.username),
    secretAccessKey: decodeURIComponent(url.password),
    pathStyle: url.searchParams.get('style') !== 'host',
  };
}
