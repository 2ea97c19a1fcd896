import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SUBMISSION_LOG_DEFAULTS } from '@residency/adapter-sqlite';
import { Meter } from './meter.ts';
import { REGIONS, sampleOf } from './workload.ts';
import type { Workload } from './workload.ts';

// `floor-process.ts <directory> <workload>`: the least work that any router of these samples must
// do. The bytes are in memory before the clock starts. A batch is as large as the router's, and all
// of it is in work at once.
const [, , directory = '', text = ''] = process.argv;
const workload: Workload = JSON.parse(text);
const { maxBatchRecords, maxBatchBytes } = SUBMISSION_LOG_DEFAULTS;
const batchRecords = Math.max(
  1,
  Math.min(maxBatchRecords, Math.floor(maxBatchBytes / workload.bytes)),
);
const sites = REGIONS[workload.region].sites.map((site) => join(directory, site));

async function write(path: string, parts: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writev([...parts]);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function store(sample: Buffer): Promise<void> {
  const name = createHash('sha256').update(sample).digest('hex');
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', randomBytes(32), nonce);
  const sealed = [nonce, cipher.update(sample), cipher.final(), cipher.getAuthTag()];
  await Promise.all(sites.map((site) => write(join(site, name), sealed)));
}

const meter = new Meter();
for (const site of sites) await mkdir(site, { recursive: true });
for (let from = 0; from < workload.count; from += batchRecords) {
  const samples = Array.from(
    { length: Math.min(batchRecords, workload.count - from) },
    (_, index) => sampleOf(workload, from + index),
  );
  await meter.time(async () => {
    await Promise.all(samples.map((sample) => store(sample)));
    await Promise.all(sites.map((site) => syncDirectory(site)));
  });
}
process.stdout.write(JSON.stringify(meter.measurement));
