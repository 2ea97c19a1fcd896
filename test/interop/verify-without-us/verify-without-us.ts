import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

// node test/interop/verify-without-us/verify-without-us.ts: exits with 0 if
// docs/how-to/verify-without-us.md works exactly as written, 1 if not, 3 if one of its tools is
// missing.

const [FAILED, MISSING] = [1, 3];
const RESIDENCY = fileURLToPath(new URL('../../../services/cli/bin/residency.js', import.meta.url));
const page = await readFile(
  new URL('../../../docs/how-to/verify-without-us.md', import.meta.url),
  'utf8',
);
const block = (heading: string): string =>
  new RegExp(`${heading.replace(/[.]/g, '\\.')}[\\s\\S]*?\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(
    page,
  )?.[1] ?? '';
const program = /```go\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

class Stranger {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#env = env;
  }

  /** Runs a block of the page. Returns its output; `undefined`: it failed. */
  follow(heading: string): string | undefined {
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-euo', 'pipefail', '-c', block(heading)],
      { cwd: this.folder, encoding: 'utf8', env: { ...process.env, ...this.#env } },
    );
    if (status === 0) return stdout;
    console.log(
      `   (${heading}: ${`${stdout}${stderr}`.trim().split('\n').at(-1)?.slice(0, 200) ?? ''})`,
    );
    return undefined;
  }

  must(heading: string): string {
    const said = this.follow(heading);
    if (said === undefined)
      throw new Error(`Expected "${heading}" of the page to work, found that it does not.`);
    console.log(`${heading}: ${said.trim().split('\n').at(-1) ?? ''}`);
    return said;
  }

  mustNot(heading: string, what: string): void {
    if (this.follow(heading) !== undefined)
      throw new Error(
        `Expected "${heading}" of the page to notice ${what}, found that it does not.`,
      );
    console.log(`${heading}: notices ${what}`);
  }
}

function residency(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [RESIDENCY, ...args], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(
      `Expected residency ${args.join(' ')} to end with 0, found ${String(status)}: ${stdout}${stderr}`,
    );
  return stdout;
}

async function publish(cwd: string, sources: readonly string[]): Promise<void> {
  await writeFile(join(cwd, 'sample'), 'not malware');
  for (const source of sources)
    residency(
      cwd,
      'publish',
      'sample',
      '--country',
      'CH',
      '--consent',
      'consent-0001',
      '--source',
      source,
    );
}

/** Waits until the ledger at `url` has this many leaves. */
async function grown(url: string, size: number): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 500) {
    const answer = await fetch(`${url}/checkpoint`);
    if (answer.ok && Number((await answer.text()).split('\n')[1]) >= size) return;
    await sleep(500);
  }
  throw new Error(`Expected a ledger of ${size} leaves within a minute, found none.`);
}

async function prepare(folder: string, ledger: string): Promise<Stranger> {
  await publish(folder, ['urn:test:1', 'urn:test:2', 'urn:test:3']);
  await grown(ledger, 3);
  const stranger = new Stranger(join(folder, 'stranger'), {
    KEY: residency(folder, 'audit', 'key', 'show').trim(),
    LEDGER: ledger,
  });
  await mkdir(stranger.folder);
  const event = JSON.parse(
    residency(folder, 'audit', 'list', '--outcome', 'stored', '--json').split('\n')[0] ?? '',
  ) as { readonly causationid: string };
  residency(
    folder,
    'audit',
    'prove',
    event.causationid,
    '--out',
    join('stranger', 'sample.tlog-proof'),
  );
  await writeFile(
    join(stranger.folder, 'export.ndjson'),
    residency(folder, 'audit', 'export', '--from', '2020-01-01', '--to', '2099-01-01'),
  );
  await writeFile(join(stranger.folder, 'verify.go'), program);
  return stranger;
}

async function flipped(path: string, check: () => void): Promise<void> {
  const bytes = await readFile(path);
  const damaged = Buffer.from(bytes);
  const at = Math.floor(damaged.length / 2);
  damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
  await writeFile(path, damaged);
  check();
  await writeFile(path, bytes);
}

async function run(folder: string, ledger: string): Promise<void> {
  const stranger = await prepare(folder, ledger);
  stranger.must('# Verify without us');
  for (const heading of ['## 1.', '## 2.', '## 3.', '## 4.', '## 5.', '## 6.'])
    stranger.must(heading);
  const { digest }: { readonly digest: string } = JSON.parse(
    residency(folder, 'audit', 'replay', '--json'),
  );
  if (stranger.must('## 7.').trim() !== digest)
    throw new Error('Expected the digest of the page to be that of a replay, found another.');

  await publish(
    folder,
    Array.from({ length: 4 }, (_, at) => `urn:test:later-${at}`),
  );
  await grown(ledger, 7);
  for (const heading of ['## 4.', '## 5.', '## 6.']) stranger.must(heading);

  const own = join(stranger.folder, 'sample.tlog-proof');
  await flipped(`${own}.leaf`, () => {
    stranger.mustNot('## 3.', 'a flipped bit in the leaf');
  });
  await flipped(own, () => {
    stranger.mustNot('## 3.', 'a flipped bit in the receipt');
  });
  await flipped(join(stranger.folder, 'checkpoint.kept'), () => {
    stranger.mustNot('## 5.', 'a flipped bit in the checkpoint that was kept');
  });
  const [entries, hashes] = [
    join(folder, '.residency/ledger/0/tile/entries'),
    join(folder, '.residency/ledger/0/tile/0'),
  ];
  for (const [path, what] of [
    [entries, 'an entry'],
    [hashes, 'a tile'],
  ] as const) {
    const [partial = ''] = (await readdir(join(path, '000.p'))).toSorted(
      (a, b) => Number(b) - Number(a),
    );
    await flipped(join(path, '000.p', partial), () => {
      stranger.mustNot('## 4.', `a flipped bit in ${what}`);
    });
  }
}

async function main(): Promise<number> {
  for (const [tool, ...args] of [
    ['go', 'version'],
    ['curl', '--version'],
    ['python3', '--version'],
  ] as const) {
    if (spawnSync(tool, args).error === undefined) continue;
    console.error(`Expected ${tool} on the path, found none; nothing was checked.`);
    return MISSING;
  }
  const folder = await mkdtemp(join(tmpdir(), 'verify-without-us-'));
  residency(folder, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  const router = spawn(
    process.execPath,
    [RESIDENCY, 'start', '--port', '0', '--no-examples', '--json'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const [line] = (await once(router.stdout.setEncoding('utf8'), 'data')) as [string];
    const { url }: { readonly url: string } = JSON.parse(line);
    await run(folder, `${url}/ledger/0`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : 'failed');
    return FAILED;
  } finally {
    router.kill('SIGTERM');
    await once(router, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
