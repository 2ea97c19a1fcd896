import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TEST_SITES, freePorts, signedRequest } from '../../stack/index.ts';
import { erasesVersions, refusesObjectLock } from './erased-versions.ts';
import { refusesMissingRights } from './missing-rights.ts';

// `npm run interop:s3`: the S3 adapter's contract suites, faults and tests of real servers against
// an S3 server of another make than the test stack's, Versity Gateway over a folder; and erasure with
// versions, object lock and missing rights, which the test stack's does not have. Exits with 0 if they pass, 1 if not, 3 if there is no Go or the server does not start.

const MODULE = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';
const FAILED = 1;
const MISSING = 3;
const STARTS_WITHIN_MS = 30_000;
/** The test files of the adapter that talk to a real S3 server. */
const TESTS = [
  'packages/adapter-s3/test/object-store.contract.test.ts',
  'packages/adapter-s3/test/custodian-site.contract.test.ts',
  'packages/adapter-s3/test/s3-custodian-site.fault.test.ts',
  'packages/adapter-s3/test/ledger-store.contract.test.ts',
  'packages/adapter-s3/test/site-marker.contract.test.ts',
  'packages/adapter-s3/test/s3-object-store.int.test.ts',
  'packages/adapter-s3/test/s3-object-store.fault.test.ts',
  'packages/adapter-s3/test/foreign-answers.fault.test.ts',
  'packages/adapter-s3/test/s3-ledger-store.fault.test.ts',
  'packages/adapter-s3/test/s3-site-reader.int.test.ts',
];
const ROOT = join(import.meta.dirname, '../../..');
const REGION = 'us-east-1';
const [KEY, SECRET] = ['other-store', 'other-store-secret'];

function unreachable(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(MISSING);
}

/** Builds the server once, into the folder of temporary files. */
function gateway(): string {
  const bin = join(tmpdir(), 'residency-other-store');
  const program = join(bin, 'versitygw');
  if (existsSync(program)) return program;
  const { status, stderr, error } = spawnSync('go', ['install', MODULE], {
    env: { ...process.env, GOBIN: bin, CGO_ENABLED: '0' },
    encoding: 'utf8',
  });
  if (error !== undefined) unreachable('Expected go on the path, found none. Install Go 1.26.');
  if (status !== 0) unreachable(`Expected to build ${MODULE}, found:\n${stderr}`);
  return program;
}

async function answers(endpoint: string): Promise<boolean> {
  for (const end = Date.now() + STARTS_WITHIN_MS; Date.now() < end; await sleep(100)) {
    const request = { method: 'GET', path: '/', endpoint, awsRegion: REGION };
    const { status } = await signedRequest({
      ...request,
      accessKeyId: KEY,
      secretAccessKey: SECRET,
    }).catch(() => ({ status: 0 }));
    if (status === 200) return true;
  }
  return false;
}

const program = gateway();
const folder = await mkdtemp(join(tmpdir(), 'residency-other-store-'));
const [data, versions, accounts] = [
  join(folder, 'data'),
  join(folder, 'versions'),
  join(folder, 'accounts'),
];
for (const each of [data, versions, accounts]) await mkdir(each);
const [port = 0] = await freePorts(1);
const server = spawn(
  program,
  [
    '--access',
    KEY,
    '--secret',
    SECRET,
    '--region',
    REGION,
    '--port',
    `127.0.0.1:${port}`,
    '--iam-dir',
    accounts,
    'posix',
    '--versioning-dir',
    versions,
    data,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
let status = MISSING;
try {
  const endpoint = `http://127.0.0.1:${port}`;
  if (await answers(endpoint)) {
    const site = { endpoint, awsRegion: REGION, pathStyle: true, accessKeyId: KEY };
    for (const check of [erasesVersions, refusesObjectLock, refusesMissingRights]) {
      await check({ ...site, secretAccessKey: SECRET });
      process.stdout.write(`${check.name}: yes\n`);
    }
    const address = `http://${KEY}:${SECRET}@127.0.0.1:${port}/?region=${REGION}&style=path`;
    const sites = TEST_SITES.map((site) => [
      `RESIDENCY_TEST_S3_${site.toUpperCase().replaceAll('-', '_')}`,
      address,
    ]);
    status =
      spawnSync('vitest', ['run', ...TESTS, ...process.argv.slice(2)], {
        cwd: ROOT,
        env: { ...process.env, ...Object.fromEntries(sites) },
        stdio: 'inherit',
      }).status ?? FAILED;
  } else process.stderr.write('Expected the other store to answer, found that it does not.\n');
} finally {
  server.kill();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = status;
