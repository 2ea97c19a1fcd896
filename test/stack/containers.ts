/** The shared servers in containers. See README.md on what of this has been run. */
import { randomBytes } from 'node:crypto';
import { GenericContainer, ImageName, Wait, getContainerRuntimeClient } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';
import { clusterId } from './cluster-id.ts';
import { freePorts } from './free-ports.ts';
import { kafkaProperties } from './kafka-properties.ts';
import type { Stack, TestSite } from './stack.ts';

/** Kafka and S3Proxy in the versions of the POMs. */
const IMAGES = {
  kafka: 'apache/kafka:4.4.0',
  s3: 'andrewgaul/s3proxy:4.1.0',
  redis: 'redis:7.2.4',
};

/** Beforehand, so that no test waits for a registry. */
export async function pullImages(): Promise<readonly string[]> {
  const { image } = await getContainerRuntimeClient();
  const names = Object.values(IMAGES);
  for (const name of names)
    if (!(await image.exists(ImageName.fromString(name))))
      await image.pull(ImageName.fromString(name));
  return names;
}

export interface Contained<Endpoints> {
  readonly endpoints: Endpoints;
  readonly containers: readonly StartedTestContainer[];
}

export async function containedKafka(): Promise<Contained<Stack['kafka']>> {
  const [port = 0] = await freePorts(1);
  // A broker tells its clients where it is, so its port is known before it starts.
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  const properties = kafkaProperties({
    id: 1,
    brokers: [{ client: port, controller: 9093 }],
    data: '/tmp/residency-kafka',
    settings: {
      listeners: 'CLIENT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093',
      'advertised.listeners': `CLIENT://${host}:${port}`,
    },
  });
  const container = await new GenericContainer(IMAGES.kafka)
    .withEnvironment({ CLUSTER_ID: clusterId(), ...asEnvironment(properties) })
    .withExposedPorts({ container: 9092, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .start();
  return { endpoints: { brokers: [`${host}:${port}`] }, containers: [container] };
}

/** As the image reads it: `log.dirs` is KAFKA_LOG_DIRS. */
function asEnvironment(properties: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
      value,
    ]),
  );
}

export async function containedSites(): Promise<Contained<Stack['sites']>> {
  const open = async (
    site: TestSite,
  ): Promise<{ endpoint: Stack['sites'][TestSite]; container: StartedTestContainer }> => {
    const [accessKeyId, secretAccessKey] = [`test-${site}`, randomBytes(16).toString('hex')];
    const container = await new GenericContainer(IMAGES.s3)
      .withEnvironment({
        S3PROXY_ENDPOINT: 'http://0.0.0.0:8080',
        S3PROXY_AUTHORIZATION: 'aws-v2-or-v4',
        S3PROXY_IDENTITY: accessKeyId,
        S3PROXY_CREDENTIAL: secretAccessKey,
        JCLOUDS_PROVIDER: 'filesystem-nio2',
        JCLOUDS_FILESYSTEM_BASEDIR: '/tmp/residency-s3',
        LOG_LEVEL: 'warn',
        LC_ALL: 'C.UTF-8',
      })
      .withExposedPorts(8080)
      // Without a signature it refuses; any answer tells that it is up.
      .withWaitStrategy(Wait.forHttp('/', 8080).forStatusCodeMatching((status) => status > 0))
      .start();
    const endpoint = {
      endpoint: `http://${container.getHost()}:${container.getMappedPort(8080)}`,
      awsRegion: 'us-east-1',
      accessKeyId,
      secretAccessKey,
      pathStyle: true,
    };
    return { endpoint, container };
  };
  const [zrh1, zrh2, mow1] = await Promise.all([open('zrh-1'), open('zrh-2'), open('mow-1')]);
  return {
    endpoints: { 'zrh-1': zrh1.endpoint, 'zrh-2': zrh2.endpoint, 'mow-1': mow1.endpoint },
    containers: [zrh1.container, zrh2.container, mow1.container],
  };
}

export async function containedRedis(): Promise<Contained<Stack['redis']>> {
  const container = await new GenericContainer(IMAGES.redis)
    .withCommand([
      'redis-server',
      '--save',
      '',
      '--appendonly',
      'yes',
      '--maxmemory-policy',
      'noeviction',
    ])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start();
  return {
    endpoints: { url: `redis://${container.getHost()}:${container.getMappedPort(6379)}` },
    containers: [container],
  };
}
