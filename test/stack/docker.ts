import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

const ANSWER_MS = 1000;

/**
 * Whether a container engine answers. Never waits long: most machines that have none have no socket
 * either.
 */
export async function dockerAnswers(): Promise<boolean> {
  const host = process.env['DOCKER_HOST'];
  const candidates =
    host === undefined || host === ''
      ? ['/var/run/docker.sock', join(homedir(), '.docker', 'run', 'docker.sock')].map((path) => ({
          socketPath: path,
        }))
      : [target(host)];
  for (const candidate of candidates) if (await pings(candidate)) return true;
  return false;
}

function target(host: string): { socketPath: string } | { host: string; port: string } {
  const url = URL.parse(host);
  return url === null || url.protocol === 'unix:'
    ? { socketPath: url?.pathname ?? host }
    : { host: url.hostname, port: url.port };
}

function pings(where: { socketPath: string } | { host: string; port: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ ...where, path: '/_ping', timeout: ANSWER_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy(new Error('no answer')));
    ping.on('error', () => {
      resolve(false);
    });
    ping.end();
  });
}
