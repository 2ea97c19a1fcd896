import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { S3Endpoint } from '../stack/index.ts';
import { RCLONE, fetchProgram } from '../stack/debian-program.ts';

/** Where `rclone check` looks. */
export interface Bucket {
  readonly endpoint: S3Endpoint;
  readonly bucket: string;
}

/** What rclone says of two prefixes, after reading every byte of both. */
export type RcloneCheck =
  | { readonly checked: true; readonly equal: number; readonly others: readonly string[] }
  /** There is no rclone on this machine, and why. */
  | { readonly checked: false; readonly why: string };

/** `prefix` in both buckets. The bytes are compared, for an ETag may outlive them. */
export async function rcloneCheck(a: Bucket, b: Bucket, prefix: string): Promise<RcloneCheck> {
  let command: string;
  try {
    command = await fetchProgram(RCLONE);
  } catch (error) {
    return { checked: false, why: error instanceof Error ? error.message : String(error) };
  }
  const child = spawn(
    command,
    [
      'check',
      '--config=/dev/null',
      '--download',
      '--checkers=8',
      '--combined=-',
      `a:${a.bucket}/${prefix}`,
      `b:${b.bucket}/${prefix}`,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...remote('A', a.endpoint), ...remote('B', b.endpoint) },
    },
  );
  const [output, complaints]: [string[], string[]] = [[], []];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const [code] = (await once(child, 'close')) as [number | null];
  const lines = output
    .join('')
    .split('\n')
    .filter((line) => line !== '');
  const others = lines.filter((line) => !line.startsWith('= '));
  if (code !== 0 && others.length === 0)
    throw new Error(
      `Expected rclone to end with 0, found ${String(code)}: ${complaints.join('').slice(-2_000)}`,
    );
  return { checked: true, equal: lines.length - others.length, others };
}

function remote(name: string, endpoint: S3Endpoint): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries({
      TYPE: 's3',
      PROVIDER: 'Other',
      ENDPOINT: endpoint.endpoint,
      REGION: endpoint.awsRegion,
      ACCESS_KEY_ID: endpoint.accessKeyId,
      SECRET_ACCESS_KEY: endpoint.secretAccessKey,
      FORCE_PATH_STYLE: String(endpoint.pathStyle),
    }).map(([key, value]) => [`RCLONE_CONFIG_${name}_${key}`, value]),
  );
}
