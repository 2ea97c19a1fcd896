import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@residency/contracts';
import { explainConfiguration, readConfiguration, readRegions } from '@residency/configuration';
import type { Section, SitePlace } from '@residency/configuration';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exists, files, text } from '../architecture/tree.ts';
import { kafkaProperties } from '../stack/kafka-properties.ts';
import {
  FOLDER,
  SERVICES,
  commandLine,
  compose,
  fileOf,
  makeSecrets,
  mounts,
  ours,
  programOf,
  removeSecrets,
  repositoryPath,
  secretsFolder,
  sectionsOf,
  service,
} from './compose-file.ts';

afterAll(() => {
  removeSecrets();
});

const names = Object.keys(compose.services);
const ONCE = ['setup', 'residency'];

const environmentOf = (name: string): Readonly<Record<string, string>> =>
  service(name).environment ?? {};

/** The sources of configuration for a process. */
const readersOf = (
  name: string,
): { readonly env: Readonly<Record<string, string>>; readonly sections: readonly Section[] } =>
  ONCE.includes(name)
    ? { env: commandLine, sections: commandSections() }
    : { env: environmentOf(name), sections: sectionsOf(name) };

/** The sections that setup.sh checks last. */
function commandSections(): readonly Section[] {
  const [, list = ''] = /^step config check(.*)$/m.exec(text(`${FOLDER}/setup.sh`)) ?? [];
  return [...list.matchAll(/--section (\w+)/g)].map(([, section]) => section as Section);
}

const secretsIn = (env: Readonly<Record<string, string>>): readonly string[] =>
  [
    ...new Set(
      Object.values(env).flatMap((value) => /^\/run\/secrets\/(.+)$/.exec(value)?.slice(1) ?? []),
    ),
  ].sort();

const regions = readRegions(text(`${FOLDER}/regions.json`));
const sites: readonly SitePlace[] = regions.sites ?? [];

describe('services of this repository', () => {
  it('are all included, each with its own entry point, beside a command line and a setup that prepares the cluster', () => {
    expect(SERVICES).toEqual(
      expect.arrayContaining([
        'router',
        'consent-projector',
        'intake',
        'auditor',
        'exporter',
        'reconciler',
        'custodian-zurich',
        'custodian-moscow',
      ]),
    );
    expect(ours.toSorted()).toEqual([...SERVICES, ...ONCE].sort());
    for (const name of SERVICES) {
      expect(service(name).command).toEqual([`services/${programOf(name)}/src/main.ts`]);
      expect(exists(`services/${programOf(name)}/src/main.ts`)).toBe(true);
    }
    expect(service('setup').entrypoint).toEqual(['sh', '/etc/residency/setup.sh']);
    expect(service('residency').entrypoint).toEqual(['residency']);
  });

  it.each([...SERVICES, ...ONCE])(
    '%s gets a valid configuration, and needs every variable of it',
    (name) => {
      const { env, sections } = readersOf(name);
      expect(sections).toContain('kafka');
      const source = { env, readFile: fileOf(name) };
      expect(readConfiguration(sections, source).mistakes).toEqual([]);
      const needed = explainConfiguration(sections, source)
        .filter(({ state }) => state === 'set')
        .map(({ variable }) => variable);
      expect(Object.keys(env).filter((variable) => !needed.includes(variable))).toEqual([]);
    },
  );

  it.each([...SERVICES, ...ONCE])(
    '%s gets the secrets that its configuration names, and no other',
    (name) => {
      expect((service(name).secrets ?? []).toSorted()).toEqual(secretsIn(readersOf(name).env));
    },
  );

  it.each(SERVICES)('%s keeps folders in volumes, and can write only its own state', (name) => {
    const folders = Object.entries(environmentOf(name)).filter(([variable]) =>
      variable.endsWith('_DIR'),
    );
    for (const [variable, path] of folders) {
      const mount = mounts(name).find(({ target }) => target === path);
      expect({ variable, volume: mount?.bound }).toEqual({ variable, volume: false });
    }
    const written = mounts(name)
      .filter(({ readOnly }) => !readOnly)
      .map(({ target }) => target);
    expect(written).toEqual(
      folders
        .filter(([variable]) => /_STATE_DIR$|_CHECKPOINTS_DIR$/.test(variable))
        .map(([, path]) => path),
    );
  });

  it("share the log's name, the brokers and the cluster's id", () => {
    const cluster = [
      'RESIDENCY_LOG',
      'RESIDENCY_KAFKA_BROKERS',
      'RESIDENCY_KAFKA_CLUSTER_ID',
      'RESIDENCY_REDIS_URL',
      'RESIDENCY_LEDGER_BUCKET',
      'RESIDENCY_LEDGER_ENDPOINT',
    ];
    for (const name of SERVICES)
      for (const variable of cluster)
        expect([commandLine[variable], undefined]).toContain(environmentOf(name)[variable]);
  });

  it.each(ours)('%s runs without root, writes nowhere else and gets time to stop', (name) => {
    expect(service(name)).toMatchObject({
      user: '1000:1000',
      read_only: true,
      init: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      stop_grace_period: '30s',
    });
    expect(service(name).tmpfs).toEqual([expect.stringMatching(/^\/tmp:/)]);
    expect(service(name).restart).toBe(ONCE.includes(name) ? 'no' : 'unless-stopped');
  });

  it('wait until the cluster is prepared, which waits for servers with health checks', () => {
    for (const name of SERVICES)
      expect(service(name).depends_on).toEqual({
        setup: { condition: 'service_completed_successfully' },
      });
    const servers = names.filter((name) => /^(?:kafka|s3|redis)/.test(name));
    expect(service('setup').depends_on).toEqual(
      Object.fromEntries(servers.map((name) => [name, { condition: 'service_healthy' }])),
    );
    for (const name of servers) expect(service(name).healthcheck?.test?.length).toBeGreaterThan(1);
  });

  it("have the private keys and the ledger's key only where they are generated and used", () => {
    const holders = (volume: string): readonly string[] =>
      names.filter((name) => mounts(name).some(({ source }) => source === volume));
    expect(holders('private-keys')).toEqual(ONCE);
    expect(holders('ledger-key')).toEqual([...ONCE, 'auditor']);
    expect(mounts('router').find(({ source }) => source === 'public-keys')).toEqual({
      source: 'public-keys',
      target: environmentOf('router')['RESIDENCY_KEYS_DIR'],
      readOnly: true,
      bound: false,
    });
    expect(mounts('setup').find(({ source }) => source === 'public-keys')?.target).toBe(
      environmentOf('setup')['PUBLIC_KEYS'],
    );
  });
});

describe('addresses', () => {
  const networksOf = (name: string): readonly string[] => service(name).networks ?? [];
  const reaches = (one: string, other: string): boolean =>
    networksOf(one).some((network) => networksOf(other).includes(network));
  const hosts = (env: Readonly<Record<string, string>>): readonly string[] => [
    ...(env['RESIDENCY_KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== ''),
    ...[
      env['RESIDENCY_REDIS_URL'],
      env['RESIDENCY_LEDGER_ENDPOINT'],
      ...(env['RESIDENCY_REGIONS_FILE'] === undefined
        ? []
        : sites.filter(isOf(env['RESIDENCY_CUSTODIAN_REGION'])).map(({ endpoint }) => endpoint)),
    ].flatMap((url) => (url === undefined ? [] : [new URL(url).host])),
  ];
  /** A custodian knows the sites of its region only. */
  const isOf =
    (region: string | undefined) =>
    (site: SitePlace): boolean =>
      region === undefined || site.region === region;
  const LISTENING: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
      names.filter((name) => name.startsWith('kafka-')).map((name) => [`${name}:9092`, name]),
    ),
    ...Object.fromEntries(
      names
        .filter((name) => name.startsWith('s3-'))
        .map((name) => [
          `${name}:${new URL(environmentOf(name)['S3PROXY_ENDPOINT'] ?? '').port}`,
          name,
        ]),
    ),
    'redis:6379': 'redis',
  };

  it.each([...SERVICES, ...ONCE])('of %s are servers on a network of its own', (name) => {
    const asked = hosts(readersOf(name).env);
    expect(asked.length).toBeGreaterThan(2);
    expect(
      asked.filter((host) => {
        const server = LISTENING[host];
        return server === undefined || !reaches(name, server);
      }),
    ).toEqual([]);
  });

  it('of stores are known only to services with credentials for them', () => {
    for (const store of names.filter((name) => name.startsWith('s3-'))) {
      const [secret = ''] = service(store).secrets ?? [];
      expect(environmentOf(store)['S3PROXY_CREDENTIAL_FILE']).toBe(`/run/secrets/${secret}`);
      for (const name of names)
        if (name !== store && reaches(name, store))
          expect({ name, secrets: service(name).secrets }).toEqual({
            name,
            secrets: expect.arrayContaining([secret]),
          });
    }
    for (const name of names)
      if (reaches(name, 'redis') && name !== 'redis')
        expect(
          (service(name).secrets ?? []).filter((secret) => secret.startsWith('redis-')),
        ).toHaveLength(1);
  });

  it('of every site are a server with its bucket and the identity that the services use', () => {
    expect(sites.map(({ site, region }) => `${region}/${site}`)).toEqual([
      'zurich/zrh-1',
      'zurich/zrh-2',
      'moscow/mow-1',
    ]);
    const stores = [
      ...sites.map(({ site, bucket, endpoint = '' }) => ({
        bucket,
        endpoint,
        variables: `RESIDENCY_SITE_${site.toUpperCase().replace('-', '_')}_(?:READER_|CUSTODIAN_)?`,
      })),
      {
        bucket: commandLine['RESIDENCY_LEDGER_BUCKET'] ?? '',
        endpoint: commandLine['RESIDENCY_LEDGER_ENDPOINT'] ?? '',
        variables: 'RESIDENCY_LEDGER_',
      },
    ];
    for (const { bucket, endpoint, variables } of stores) {
      const store = environmentOf(LISTENING[new URL(endpoint).host] ?? '');
      expect(store['BUCKET']).toBe(bucket);
      for (const name of [...SERVICES, 'setup']) {
        const { env } = readersOf(name);
        for (const [variable, value] of Object.entries(env)) {
          if (new RegExp(`^${variables}ACCESS_KEY_ID$`).test(variable))
            expect(value).toBe(store['S3PROXY_IDENTITY']);
          if (new RegExp(`^${variables}SECRET_ACCESS_KEY_FILE$`).test(variable))
            expect(value).toBe(store['S3PROXY_CREDENTIAL_FILE']);
        }
      }
    }
  });

  it('of this machine are on loopback, one port each, mapped to the port that the server listens on', () => {
    const published = names.flatMap((name) =>
      (service(name).ports ?? []).map((port) => ({
        name,
        port: /^127\.0\.0\.1:(\d+):(\d+)$/.exec(port),
      })),
    );
    expect(published.map(({ port }) => port?.[1])).toEqual([
      ...new Set(published.map(({ port }) => port?.[1])),
    ]);
    const inside = Object.fromEntries(published.map(({ name, port }) => [name, port?.[2]]));
    expect(inside).toEqual({
      intake: environmentOf('intake')['RESIDENCY_HTTP_PORT'],
      auditor: environmentOf('auditor')['RESIDENCY_HTTP_PORT'],
      prometheus: '9090',
      grafana: '3000',
    });
    for (const { name } of published)
      expect(networksOf(name).some((network) => compose.networks[network]?.internal !== true)).toBe(
        true,
      );
    // Of the servers that hold or move samples, only the intake is reachable from outside.
    expect(names.filter((name) => networksOf(name).includes('front')).toSorted()).toEqual([
      'auditor',
      'grafana',
      'intake',
      'prometheus',
    ]);
  });

  it('that Prometheus scrapes are those of every container of every service, under the job name of the rules', () => {
    const { scrape_configs: jobs } = parse(text(`${FOLDER}/prometheus/prometheus.yml`)) as {
      readonly scrape_configs: readonly {
        readonly job_name: string;
        readonly static_configs: readonly { readonly targets: readonly string[] }[];
      }[];
    };
    const scraped = Object.fromEntries(
      jobs.map(({ job_name: job, static_configs: targets }) => [
        job,
        targets.flatMap((one) => one.targets).toSorted(),
      ]),
    );
    const listening = SERVICES.map((name) => {
      const { RESIDENCY_HTTP_PORT: port, RESIDENCY_HTTP_HOST: host } = environmentOf(name);
      expect({ name, host, scraped: reaches('prometheus', name) }).toEqual({
        name,
        host: '0.0.0.0',
        scraped: true,
      });
      const replicas = service(name).deploy?.replicas;
      return [
        name,
        replicas === undefined
          ? [`${name}:${port}`]
          : Array.from(
              { length: replicas },
              (_, index) => `${compose.name}-${name}-${index + 1}:${port}`,
            ),
      ] as const;
    });
    const byJob = new Map<string, readonly string[]>();
    for (const [name, addresses] of listening)
      byJob.set(programOf(name), [...(byJob.get(programOf(name)) ?? []), ...addresses].toSorted());
    expect(scraped).toEqual(Object.fromEntries(byJob));
    expect(service('router').deploy?.replicas).toBe(2);
    // `residency status` uses the same addresses.
    expect(commandLine['RESIDENCY_METRICS_URLS']?.split(',').toSorted()).toEqual(
      listening
        .flatMap(([, addresses]) => addresses.map((address) => `http://${address}`))
        .toSorted(),
    );
    for (const name of SERVICES)
      expect({ name, asked: reaches('residency', name) }).toEqual({ name, asked: true });
  });
});

describe('servers', () => {
  it("have an exact version each, and those of the tests are the tests'", () => {
    for (const name of names) expect(service(name).image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+\.\d+$/);
    const tested = text('test/stack/containers.ts');
    for (const name of [
      'kafka-1',
      'kafka-2',
      'kafka-3',
      's3-zrh-1',
      's3-zrh-2',
      's3-mow-1',
      's3-ledger',
      'redis',
    ])
      expect(tested).toContain(`'${service(name).image}'`);
    const { version } = JSON.parse(text('package.json')) as { readonly version: string };
    for (const name of ours)
      expect(service(name)).toMatchObject({
        image: `residency-router:${version}`,
        build: { context: '../..' },
      });
  });

  it.each(names)('%s has no capability and gains none', (name) => {
    expect(service(name)).toMatchObject({
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(
      Object.keys(service(name)).filter((key) =>
        /^(?:privileged|cap_add|network_mode|pid|ipc|devices)$/.test(key),
      ),
    ).toEqual([]);
  });

  it('of Kafka are three of the cluster that the services are bound to, and keep acknowledged records if one is lost', () => {
    const brokers = ['kafka-1', 'kafka-2', 'kafka-3'];
    const tested = kafkaProperties({
      id: 1,
      brokers: brokers.map(() => ({ client: 1, controller: 2 })),
      data: '',
      settings: {},
    });
    const same = Object.keys(tested).filter((name) =>
      /replication|isr|insync|timestamp|auto\.create|roles|listener\.name/.test(name),
    );
    expect(same.length).toBeGreaterThan(9);
    for (const [index, name] of brokers.entries()) {
      const env = environmentOf(name);
      expect(env).toMatchObject({
        CLUSTER_ID: commandLine['RESIDENCY_KAFKA_CLUSTER_ID'],
        KAFKA_NODE_ID: String(index + 1),
        KAFKA_ADVERTISED_LISTENERS: `CLIENT://${name}:9092`,
        KAFKA_CONTROLLER_QUORUM_VOTERS: brokers
          .map((broker, at) => `${at + 1}@${broker}:9093`)
          .join(','),
        ...Object.fromEntries(
          same.map((property) => [
            `KAFKA_${property.toUpperCase().replaceAll('.', '_')}`,
            tested[property],
          ]),
        ),
      });
      expect(mounts(name)).toEqual([
        { source: name, target: env['KAFKA_LOG_DIRS'], readOnly: false, bound: false },
      ]);
    }
  });

  it('of Redis evict nothing and have no user without a password', () => {
    expect(service('redis').command?.join(' ')).toContain(
      '--maxmemory-policy noeviction --aclfile /run/secrets/redis-users',
    );
    const users = fileOf('redis')('/run/secrets/redis-users');
    expect(users.split('\n')[0]).toBe('user default off');
    for (const name of [...SERVICES, 'setup']) {
      const { RESIDENCY_REDIS_USERNAME: user, RESIDENCY_REDIS_PASSWORD_FILE: file = '' } =
        readersOf(name).env;
      if (user !== undefined)
        expect(users).toContain(
          `user ${user} on #${sha256(Buffer.from(fileOf(name)(file)))} ~{residency}:* -@all `,
        );
    }
    // As in packages/adapter-redis/README.md.
    expect(users.match(/\+eval/g)).toHaveLength(1);
    expect(users).toMatch(/^user projector .* \+mget \+info \+eval \+get \+mset$/m);
  });

  it('of Grafana have Prometheus as a data source, and the dashboards', () => {
    const { datasources } = parse(
      text(`${FOLDER}/grafana/provisioning/datasources/prometheus.yaml`),
    ) as { readonly datasources: readonly { readonly type: string; readonly url: string }[] };
    expect(datasources.map(({ type, url }) => [type, url])).toEqual([
      ['prometheus', 'http://prometheus:9090'],
    ]);
    // Each panel chooses a source of that type by a variable, and there is one.
    const dashboards = files('deploy/prometheus/dashboards/*.json');
    expect(dashboards).toHaveLength(4);
    for (const path of dashboards)
      expect({ path, variable: /\{"name": "datasource"[^}]*\}/.exec(text(path))?.[0] }).toEqual({
        path,
        variable: expect.stringContaining('"type": "datasource", "query": "prometheus"'),
      });
    const { providers } = parse(
      text(`${FOLDER}/grafana/provisioning/dashboards/residency.yaml`),
    ) as { readonly providers: readonly { readonly options: { readonly path: string } }[] };
    expect(mounts('grafana')).toContainEqual({
      source: '../prometheus/dashboards',
      target: providers[0]?.options.path,
      readOnly: true,
      bound: true,
    });
    expect(environmentOf('grafana')['GF_SECURITY_ADMIN_PASSWORD__FILE']).toBe(
      `/run/secrets/${service('grafana').secrets?.[0]}`,
    );
  });
});

describe('every name in the file', () => {
  it('exists: every path of this machine that is mounted', () => {
    const bound = names.flatMap((name) => mounts(name).filter((mount) => mount.bound));
    expect(bound.length).toBeGreaterThan(9);
    expect(
      bound.filter(({ source, readOnly }) => !readOnly || !exists(repositoryPath(source))),
    ).toEqual([]);
  });

  it('is declared and used: every volume, network and secret', () => {
    const used = {
      volumes: names.flatMap((name) =>
        mounts(name)
          .filter(({ bound }) => !bound)
          .map(({ source }) => source),
      ),
      networks: names.flatMap((name) => service(name).networks ?? []),
      secrets: names.flatMap((name) => service(name).secrets ?? []),
    };
    for (const kind of ['volumes', 'networks', 'secrets'] as const)
      expect([...new Set(used[kind])].sort()).toEqual(Object.keys(compose[kind]).toSorted());
  });

  it('is generated by make-secrets.sh: every secret, unreadable for other users of this machine; a second run changes nothing', () => {
    const folder = secretsFolder();
    const contents = (): readonly (readonly [string, string])[] =>
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);
    const first = contents();
    // The token is for a person; only its digest is mounted.
    expect(first.map(([name]) => `./secrets/${name}`)).toEqual(
      [
        ...Object.values(compose.secrets).map(({ file }) => file),
        './secrets/publisher-token',
      ].sort(),
    );
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
    makeSecrets(folder);
    expect(contents()).toEqual(first);
    expect(new Set(first.map(([, content]) => content)).size).toBe(first.length);
    for (const [name, content] of first)
      if (!/^(?:redis-users|intake-tokens\.json)$/.test(name))
        expect(content).toMatch(/^[0-9a-f]{64}$/);
    expect(first.find(([name]) => name === 'intake-tokens.json')?.[1]).toContain(
      sha256(readFileSync(join(folder, 'publisher-token'))),
    );
    expect(text(`${FOLDER}/.gitignore`)).toBe('secrets/\n');
  });

  it('is in the README too: files, services, ports and secrets', () => {
    const page = text(`${FOLDER}/README.md`);
    const all = (pattern: RegExp): readonly string[] =>
      [...page.matchAll(pattern)].flatMap((match) => match.slice(1));
    const running = all(/docker compose .* run --rm ([a-z-]+)/g);
    expect(running.length).toBeGreaterThan(3);
    expect(running.filter((name) => !(name in compose.services))).toEqual([]);
    expect(
      all(/(?:^ {4}|-f )(deploy\/compose\/[\w.-]+)/gm).filter((path) => !exists(path)),
    ).toEqual([]);
    expect(new Set(all(/http:\/\/127\.0\.0\.1:(\d+)/g))).toEqual(
      new Set(
        names.flatMap((name) => (service(name).ports ?? []).map((port) => port.split(':')[1])),
      ),
    );
    expect(
      all(/deploy\/compose\/secrets\/([\w-]+)/g).filter(
        (name) => !readdirSync(secretsFolder()).includes(name),
      ),
    ).toEqual([]);
  });
});
