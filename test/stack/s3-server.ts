import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jars } from './cache.ts';
import type { Guarded } from './guarded.ts';
import { java, javaArguments } from './java.ts';
import { propertiesFile } from './properties-file.ts';
import { GuardedServer } from './server.ts';
import type { ServerTuning } from './server.ts';
import { signedRequest } from './signed-request.ts';
import type { S3Endpoint, TestSite } from './stack.ts';

export interface S3Server {
  readonly server: GuardedServer;
  readonly endpoint: S3Endpoint;
}

/**
 * S3Proxy over a folder. It knows one identity, so a wrong secret is refused as elsewhere. Not
 * started yet.
 */
export async function s3Server(
  guarded: Guarded,
  site: TestSite,
  port: number,
  { longRunning, recordClasses }: ServerTuning,
): Promise<S3Server> {
  const folder = await jars('s3');
  const data = join(guarded.folder, site);
  const endpoint = {
    endpoint: `http://127.0.0.1:${port}`,
    awsRegion: 'us-east-1',
    accessKeyId: `test-${site}`,
    secretAccessKey: randomBytes(16).toString('hex'),
    pathStyle: true,
  };
  await mkdir(data);
  const file = join(guarded.folder, `${site}.properties`);
  await writeFile(file, propertiesFile(s3proxyProperties(endpoint, data)));
  const log = join(guarded.folder, `${site}.logback.xml`);
  await writeFile(log, LOGBACK);
  const server = new GuardedServer(guarded, {
    name: `s3-${site}`,
    command: java(),
    args: [
      ...javaArguments(
        folder,
        'org.gaul.s3proxy.Main',
        ['-Xmx192m', `-Dlogback.configurationFile=${log}`],
        {
          longRunning,
          recordTo: recordClasses ? join(guarded.folder, `s3-${site}.jsa`) : undefined,
        },
      ),
      '--properties',
      file,
    ],
    // Lists buckets, with its own secret: another server on that port would refuse it.
    ready: async () =>
      (await signedRequest({ method: 'GET', path: '/', ...endpoint })).status === 200,
  });
  return { server, endpoint };
}

function s3proxyProperties(
  { endpoint, accessKeyId, secretAccessKey }: S3Endpoint,
  data: string,
): Record<string, string> {
  return {
    's3proxy.endpoint': endpoint,
    's3proxy.authorization': 'aws-v2-or-v4',
    's3proxy.identity': accessKeyId,
    's3proxy.credential': secretAccessKey,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.identity': 'unused',
    'jclouds.credential': 'unused',
    'jclouds.filesystem.basedir': data,
  };
}

// Its default level is DEBUG, and slow.
const LOGBACK = `<configuration>
  <appender name="stderr" class="ch.qos.logback.core.ConsoleAppender"><target>System.err</target><encoder><pattern>%level %logger %msg%n</pattern></encoder></appender>
  <root level="WARN"><appender-ref ref="stderr"/></root>
</configuration>
`;
