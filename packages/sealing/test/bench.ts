/**
 * `npm run bench:sealing`: processor time of sealing and opening, in rounds in which each subject
 * has its turn. The floor of sealing is its cryptography alone: SHA-256, AES-256-GCM and one RSA
 * wrap; that of opening is one RSA unwrap. CPU of all threads.
 */
import {
  constants,
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  hash,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { figure, median, spread, table } from '../../../test/bench/report.ts';
import { encodeContext } from '../src/encryption-context.ts';
import { PemUnwrapper, RegionSealer, generateRegionKey, openSealed } from '../src/index.ts';
import type { SealingContext } from '../src/index.ts';
import { openWithSdk, rawRsa, sealWithSdk } from './sdk.ts';

const KIB = 1024;
const SIZES = [KIB, 10 * KIB, 100 * KIB, KIB * KIB];
const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 1 : 15;
const BYTES_A_TURN = quick ? 0 : 4 * KIB * KIB;
const OPENED_A_TURN = quick ? 2 : 32;
const FRAME_BYTES = KIB * KIB;
/** As many as the reconciler has in work. */
const AT_ONCE = 16;

const key = await generateRegionKey('zurich', 0);
const sealer = new RegionSealer({ newest: () => key });
const keyring = rawRsa('residency/zurich', key);
const rsa = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
const publicKey = { ...rsa, key: createPublicKey(key.publicKeyPem) };
const privateKey = { ...rsa, key: createPrivateKey(key.privateKeyPem) };

interface Turn {
  readonly cpu: number;
  readonly mainThread: number;
}
type Subjects = Readonly<Record<string, (sample: Buffer) => unknown>>;

const sealing: Subjects = {
  'the SDK': async (sample) => {
    const message = await sealWithSdk({
      sample,
      values: encodeContext(contextOf(sample)),
      to: keyring,
      frameLength: FRAME_BYTES,
    });
    createHash('sha256').update(message).digest('hex');
  },
  ours: async (sample) => {
    await sealer.seal(sample, contextOf(sample));
  },
  floor: (sample) => {
    const dataKey = randomBytes(32);
    publicEncrypt(publicKey, dataKey);
    const cipher = createCipheriv('aes-256-gcm', dataKey, randomBytes(12));
    hash('sha256', cipher.update(sample));
    cipher.final();
    cipher.getAuthTag();
  },
  // What one data key for many samples would save (docs/decisions/0032).
  'the RSA wrap': () => {
    publicEncrypt(publicKey, randomBytes(32));
  },
};

/** Digests that differ from sample to sample, computed before, as in the router. */
function contextOf(sample: Buffer): SealingContext {
  const digest = sample.toString('hex', 0, 32);
  return { region: 'zurich', policyDigest: digest, sampleSha256: digest, submission: digest };
}

async function turn(count: number, atOnce: number, work: () => unknown): Promise<Turn> {
  const [cpu, loop] = [process.cpuUsage(), performance.eventLoopUtilization()];
  let left = count;
  const lane = async (): Promise<void> => {
    while ((left -= 1) >= 0) await work();
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  return { cpu: (user + system) / count, mainThread: (active * 1e3) / count };
}

async function rounds(
  count: number,
  atOnce: number,
  subjects: Readonly<Record<string, () => unknown>>,
): Promise<ReadonlyMap<string, readonly Turn[]>> {
  const turns = new Map<string, Turn[]>(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const [name, work] of Object.entries(subjects)) {
      const measured = await turn(count, atOnce, work);
      // The first is to warm up.
      if (round > 0) turns.get(name)?.push(measured);
    }
  return turns;
}

process.stdout.write(
  `Node.js ${process.versions.node}, ${availableParallelism()} cores, ${ROUNDS} rounds, load average ${loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')}. CPU µs: median (least).\n\n`,
);
const least = (values: readonly number[]): string =>
  `${figure(median(values))} (${figure(Math.min(...values))})`;

const sealed: string[][] = [];
for (const bytes of SIZES) {
  const sample = randomBytes(bytes);
  const count = Math.max(2, Math.min(100, Math.floor(BYTES_A_TURN / bytes)));
  const turns = await rounds(
    count,
    1,
    Object.fromEntries(Object.entries(sealing).map(([name, seal]) => [name, () => seal(sample)])),
  );
  const cpu = (name: string) => turns.get(name)?.map((one) => one.cpu) ?? [];
  const floor = cpu('floor');
  const ratios = cpu('ours').map((ours, round) => ours / (floor[round] ?? Number.NaN));
  sealed.push([
    `${bytes / KIB} KiB`,
    ...Object.keys(sealing).map((name) => least(cpu(name))),
    spread(ratios, (ratio) => ratio.toFixed(2)),
  ]);
}
const SEALED = ['sealing', ...Object.keys(sealing), 'ours by floor: median (least–most)'];
process.stdout.write(`${table(SEALED, sealed)}\n\n`);

const sample = randomBytes(10 * KIB);
const { message } = await sealer.seal(sample, {
  ...contextOf(sample),
  sampleSha256: hash('sha256', sample),
});
const unwrapper = new PemUnwrapper({ privateKey: async () => key.privateKeyPem }, 'zurich');
const wrapped = publicEncrypt(publicKey, randomBytes(32));
const opened = await rounds(OPENED_A_TURN, AT_ONCE, {
  'the SDK with its own keyring': () => openWithSdk(key, message),
  openSealed: () => openSealed(message, 'zurich', unwrapper),
  floor: () => privateDecrypt(privateKey, wrapped),
});
const OPENED = ['opening 10 KiB', 'CPU µs', 'of which main thread, by the clock'];
const rows = [...opened].map(([name, turns]) => [
  name,
  least(turns.map(({ cpu }) => cpu)),
  least(turns.map(({ mainThread }) => mainThread)),
]);
process.stdout.write(`${table(OPENED, rows)}\n`);
