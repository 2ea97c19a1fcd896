import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { remedyOf } from '@residency/coded-error';
import type { LogEntry } from '@residency/contracts';
import { jsonLines } from '../../e2e/residency.ts';
import { ClusterTally } from '../cluster/tally.ts';
import { sha256 } from '../on-disk.ts';
import { SeededRandom } from '../seeded-random.ts';
import { breakFile } from './break-objects.ts';
import type { Broken, Way } from './break-objects.ts';
import { DamageTraffic } from './damage-traffic.ts';
import type { Again } from './damage-traffic.ts';
import type { DamageWorld } from './damage-world.ts';
import { onCluster } from './damaged-cluster.ts';
import { onDirectories } from './damaged-directory.ts';
import { count, repairFaults } from './repair-faults.ts';
import type { OrderReport, ReportLine } from './repair-faults.ts';

export const ZURICH = ['zrh-1', 'zrh-2'] as const;
export type BrokenSite = (typeof ZURICH)[number];
/** The first site decides whose an identity is. */
const ARBITER: BrokenSite = 'zrh-1';

/** How the repair is ordered: `residency site repair`, or by reconciliation itself. */
export type OrderedBy = 'command' | 'auto';

export interface DamageOptions {
  readonly seed: number;
  readonly on: 's3' | 'directories';
  /** Objects to break in each round. */
  readonly objects: number;
  readonly rounds: readonly { readonly site: BrokenSite; readonly by: OrderedBy }[];
  readonly longRunning: boolean;
  readonly note: (line: string) => void;
}

export interface RoundResult {
  readonly site: BrokenSite;
  readonly by: OrderedBy;
  readonly broken: Readonly<Record<Way, number>>;
  readonly again: Readonly<Record<Again, number>>;
  readonly orders: number;
  readonly signs: Readonly<Record<'=' | '-' | '*' | '!', number>>;
  /** Objects that records sent again had put into the place of removed ones. */
  readonly strangers: number;
  /** From the break until every copy was good and every record settled. */
  readonly seconds: number;
}

export interface DamageResult {
  readonly tally: ClusterTally;
  readonly stored: number;
  readonly rounds: readonly RoundResult[];
}

/** So many more samples are stored than objects are broken in a round. */
const STORED_FOR_EACH = 1.2;
const AT_ONCE = 40;
const MOST_WAITING = 400;
const WHOLE_WITHIN_MS = 60 * 60_000;
const LOOK_EVERY_MS = 2_000;
const MOST_FINDINGS = 5;
/** A resent pair stays in this order, as publishers keep an identity in one partition. */
const RESENT: readonly (readonly Again[])[] = [['same'], ['other'], ['same', 'other']];
const RESENT_FOR_REMOVED: typeof RESENT = [['same'], ['same', 'other']];

/**
 * Stores samples; in each round breaks objects of one site past every service, sends their identities
 * again, and has the site repaired; then judges everything.
 */
export async function damageRun(options: DamageOptions): Promise<DamageResult> {
  const work = (world: DamageWorld): Promise<DamageResult> => runIn(world, options);
  return await (options.on === 's3' ? onCluster(options, work) : onDirectories(work));
}

/** A stored sample. */
interface Stored {
  /** Of its record in the traffic. */
  readonly index: number;
  readonly sealedSha256: string;
}

interface Run {
  readonly world: DamageWorld;
  readonly options: DamageOptions;
  readonly random: SeededRandom;
  readonly traffic: DamageTraffic;
  readonly tally: ClusterTally;
  /** By submission. */
  readonly stored: ReadonlyMap<string, Stored>;
}

async function runIn(world: DamageWorld, options: DamageOptions): Promise<DamageResult> {
  const { seed, objects, note } = options;
  const random = new SeededRandom(seed);
  const [traffic, tally] = [new DamageTraffic(random), new ClusterTally()];
  await publish(world, traffic.fresh(Math.ceil(objects * STORED_FOR_EACH)));
  await settled(world);
  await world.paid();
  const stored = await storedIn(world, traffic);
  note(`${stored.size} samples are stored`);
  const run: Run = { world, options, random, traffic, tally, stored };
  const rounds: RoundResult[] = [];
  for (const { site, by } of options.rounds) rounds.push(await round(run, site, by));
  await world.judge(traffic, tally, seed);
  return { tally, stored: stored.size, rounds };
}

/** Breaks, sends again, repairs, and compares what was reported with what was done. */
async function round(run: Run, site: BrokenSite, by: OrderedBy): Promise<RoundResult> {
  const { world, options, random, stored, tally } = run;
  const { seed, note } = options;
  const find = (faults: readonly string[]): void => {
    tally.other += faults.length;
    for (const fault of faults.slice(0, MOST_FINDINGS))
      tally.find(seed, `${site}, ${by}: ${fault}`);
  };
  const [since, before] = [
    performance.now(),
    new Set((await ordersOf(world, site)).map(({ order }) => order)),
  ];
  const broken = new Map<string, Broken>();
  for (const submission of random.sample([...stored.keys()], options.objects))
    broken.set(
      submission,
      await breakFile(join(world.root(site), world.place(submission)), random),
    );
  const untouched = await goodFiles(run, site, broken);
  note(`${broken.size} objects of ${site} are broken`);
  if (by === 'command') find(await comparisonFaults(run, site, broken));
  const again = { same: 0, other: 0 };
  find(
    await repair(run, { site, by, before, sendingAgain: [...sendAgain(run, site, broken, again)] }),
  );
  note(`${site} is whole again`);
  const reports = await reportsOf(world, site, before);
  const [other] = ZURICH.filter((one) => one !== site);
  const good = new Set([...stored.values()].map(({ sealedSha256 }) => sealedSha256));
  find(
    repairFaults({
      broken,
      from: String(other),
      copies: stored.size,
      arbitrates: site === ARBITER,
      good,
      reports,
    }),
  );
  find(await custodyFaults(world, reports));
  find(await setAsideFaults(world, site, reports));
  find(await changedFiles(untouched));
  const lines = reports.flatMap((report) => report.lines);
  const ways = [...broken.values()].map(({ way }) => way);
  return {
    site,
    by,
    broken: {
      removed: number(ways, 'removed'),
      cut: number(ways, 'cut'),
      flipped: number(ways, 'flipped'),
    },
    again,
    orders: reports.length,
    signs: {
      '=': reports[0]?.equal ?? 0,
      '-': count(lines, '-'),
      '*': count(lines, '*'),
      '!': count(lines, '!'),
    },
    strangers: lines.filter(
      ({ sign, submission }) => sign === '*' && broken.get(submission)?.way === 'removed',
    ).length,
    seconds: (performance.now() - since) / 1_000,
  };
}

function number<T>(list: readonly T[], of: T): number {
  return list.filter((one) => one === of).length;
}

async function publish(world: DamageWorld, entries: Iterable<LogEntry>): Promise<void> {
  let batch: LogEntry[] = [];
  const send = async (): Promise<void> => {
    if (batch.length === 0) return;
    while ((await untilAnswered(() => world.waiting())) > MOST_WAITING) await sleep(100);
    // A send without an acknowledgement is repeated, whether it arrived or not.
    await untilAnswered(() => world.append(batch));
    batch = [];
  };
  for (const entry of entries) {
    batch.push(entry);
    if (batch.length >= AT_ONCE) await send();
  }
  await send();
}

/** A busy broker may not answer in time. */
async function untilAnswered<T>(work: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await work();
    } catch (error) {
      if (remedyOf(error) !== 'retry') throw error;
      await sleep(500);
    }
}

async function settled(world: DamageWorld): Promise<void> {
  const signal = AbortSignal.timeout(WHOLE_WITHIN_MS);
  while ((await untilAnswered(() => world.waiting())) > 0) {
    if (signal.aborted)
      throw new Error(
        `Expected every record to be settled, found some waiting:\n${await world.describe()}`,
      );
    await sleep(250);
  }
}

/** The samples that are stored, by the audit log. */
async function storedIn(
  world: DamageWorld,
  traffic: DamageTraffic,
): Promise<ReadonlyMap<string, Stored>> {
  const { intake, audit } = await world.logs();
  const rows = new Map(intake.map((row) => [`${row.partition}/${row.offset}`, row]));
  return new Map(
    audit.flatMap(({ partition, offset, outcome, data }) => {
      const row = rows.get(`${partition}/${offset}`);
      const [first] = (data['placements'] ?? []) as readonly { readonly sealedSha256: string }[];
      if (outcome !== 'stored' || row === undefined || first === undefined) return [];
      return [
        [
          String(data.submission),
          { index: traffic.indexOf(row), sealedSha256: first.sealedSha256 },
        ],
      ];
    }),
  );
}

const NOTHING = sha256(Buffer.alloc(0));

/** Every broken identity once or twice, in a chance order. */
function* sendAgain(
  { options, random, stored, traffic }: Run,
  site: BrokenSite,
  broken: ReadonlyMap<string, Broken>,
  again: Record<Again, number>,
): Generator<LogEntry> {
  for (const [submission, { way, sha256: left }] of random.sample([...broken], broken.size)) {
    const choice = site === ARBITER && way === 'removed' ? RESENT_FOR_REMOVED : RESENT;
    // On S3 an empty object is nobody's, as one without metadata is (docs/decisions/0016).
    const isNobodys = options.on === 'directories' ? way !== 'removed' : left === NOTHING;
    const unreadable = site === ARBITER && isNobodys;
    for (const how of random.pick(choice)) {
      again[how] += 1;
      yield traffic.again(stored.get(submission)?.index ?? NaN, how, unreadable);
    }
  }
}

interface Order {
  readonly order: string;
  readonly site: string;
  readonly state: string;
}

async function ordersOf(world: DamageWorld, site: string): Promise<readonly Order[]> {
  const { code, stdout, stderr } = await world.residency('site', 'repairs', '--json');
  if (code !== 0 && code !== 1)
    throw new Error(`site repairs ended with ${String(code)}: ${stderr}`);
  return (jsonLines(stdout) as unknown as readonly Order[]).filter((order) => order.site === site);
}

/**
 * Sends identities again while the repair is ordered and carried out. Returns once the site has every
 * copy, no order is open, and every record is settled.
 */
async function repair(
  run: Run,
  {
    site,
    by,
    before,
    sendingAgain,
  }: {
    readonly site: BrokenSite;
    readonly by: OrderedBy;
    readonly before: ReadonlySet<string>;
    readonly sendingAgain: readonly LogEntry[];
  },
): Promise<readonly string[]> {
  const { world, options } = run;
  const order = async (): Promise<void> => {
    const { code, stderr } = await world.residency('site', 'repair', site, '--json');
    if (code !== 0) throw new Error(`site repair ended with ${String(code)}: ${stderr}`);
  };
  const first = Math.ceil(options.objects / 10);
  await publish(world, sendingAgain.slice(0, first));
  const stop = by === 'auto' ? await world.reconcileAutomatically() : undefined;
  try {
    if (by === 'command') await order();
    const signal = AbortSignal.timeout(WHOLE_WITHIN_MS);
    await publish(world, sendingAgain.slice(first));
    await settled(world);
    while (!signal.aborted) {
      const orders = (await ordersOf(world, site)).filter((one) => !before.has(one.order));
      if (orders.length > 0 && orders.every(({ state }) => state !== 'open')) {
        const bad = await notWhole(run, site);
        if (bad.length === 0) return [];
        options.note(
          `${orders.length} orders are closed, ${bad.length} objects of ${site} are not good`,
        );
        if (by === 'command') await order();
      }
      await sleep(LOOK_EVERY_MS);
    }
    return [`not whole in time:\n${await world.describe()}`];
  } finally {
    await stop?.();
  }
}

/** Stored samples whose object in the site is not the one that their event names. */
async function notWhole({ world, stored }: Run, site: BrokenSite): Promise<readonly string[]> {
  const bad: string[] = [];
  for (const [submission, { sealedSha256 }] of stored) {
    const bytes = await readFile(join(world.root(site), world.place(submission))).catch(
      () => undefined,
    );
    if (bytes === undefined || sha256(bytes) !== sealedSha256) bad.push(submission);
  }
  return bad;
}

const FOUND_AS: Readonly<Record<DamageOptions['on'], Readonly<Record<Way, readonly string[]>>>> = {
  s3: {
    removed: ['OBJECT_MISSING'],
    cut: ['SIZE_DIFFERS'],
    flipped: ['CIPHERTEXT_DIFFERS'],
  },
  // Metadata there are of certain bytes, so other bytes have none.
  directories: {
    removed: ['OBJECT_MISSING'],
    cut: ['METADATA_MISSING', 'SIZE_DIFFERS'],
    flipped: ['CIPHERTEXT_DIFFERS', 'METADATA_MISSING'],
  },
};

/** Whether `residency reconcile` finds what was broken and nothing else. It lists the first ones. */
async function comparisonFaults(
  { world, options }: Run,
  site: BrokenSite,
  broken: ReadonlyMap<string, Broken>,
): Promise<readonly string[]> {
  const { code, stdout } = await world.residency('reconcile', '--json');
  const lines = jsonLines(stdout) as readonly {
    readonly code?: string;
    readonly site?: string;
    readonly submission?: string;
    readonly byCode?: Readonly<Record<string, number>>;
  }[];
  const found = JSON.stringify(sorted(lines.at(-1)?.byCode ?? {}));
  const as = FOUND_AS[options.on];
  const ways = [...broken.values()].flatMap(({ way }) => as[way]);
  const must = JSON.stringify(
    sorted(Object.fromEntries(ways.map((name) => [name, number(ways, name)]))),
  );
  return [
    ...(code === 1 && found === must
      ? []
      : [
          `reconcile must end with 1 and find ${must}, ended with ${String(code)} and found ${found}`,
        ]),
    ...lines.slice(0, -1).flatMap((line) => {
      const way = broken.get(line.submission ?? '')?.way;
      return line.site === site && way !== undefined && as[way].includes(line.code ?? '')
        ? []
        : [
            `reconcile says ${String(line.code)} of ${String(line.submission)} in ${String(line.site)}, which was ${way ?? 'not broken'}`,
          ];
    }),
  ];
}

function sorted(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The reports of a round's orders, as JSON and as text. */
async function reportsOf(
  world: DamageWorld,
  site: BrokenSite,
  before: ReadonlySet<string>,
): Promise<readonly OrderReport[]> {
  const reports: OrderReport[] = [];
  for (const { order } of await ordersOf(world, site)) {
    if (before.has(order)) continue;
    const { stdout } = await world.residency('site', 'repairs', '--report', order, '--json');
    const all = jsonLines(stdout);
    const counts = all.at(-1) as unknown as Omit<OrderReport, 'lines'>;
    const lines = all.slice(0, -1) as unknown as readonly (ReportLine & { readonly key: string })[];
    const asText = await world.residency('site', 'repairs', '--report', order);
    const must = lines.map(({ sign, key }) => `${sign} ${key}\n`).join('');
    if (asText.stdout !== must)
      throw new Error(`Expected the text of ${order} to say what its JSON says.`);
    reports.push({ ...counts, lines });
  }
  return reports;
}

/** The reports against the custody log as others' programs read it. */
async function custodyFaults(
  world: DamageWorld,
  reports: readonly OrderReport[],
): Promise<readonly string[]> {
  const rows = await world.custody();
  return reports.flatMap(({ order, lines }) => {
    const last = new Map<string, string>();
    for (const { type, data } of rows) {
      if (data.order !== order || data.submission === undefined) continue;
      const sign = type.endsWith('not-repaired.v1') ? '!' : data.setAside === undefined ? '-' : '*';
      last.set(data.submission, `${sign} ${data.setAside?.key ?? ''}`);
    }
    const wrong = lines.filter(
      (line) => last.get(line.submission) !== `${line.sign} ${line.setAside ?? ''}`,
    );
    const closing = rows.filter(({ data }) => data.order === order && data.checked !== undefined);
    return [
      ...wrong.map(({ submission }) => `the report and the custody log differ about ${submission}`),
      ...(last.size === lines.length
        ? []
        : [`the custody log has ${last.size} objects of ${order}, its report ${lines.length}`]),
      ...(closing.length === 1 ? [] : [`${order} has ${closing.length} closing events`]),
    ];
  });
}

/** Whether what is said to be set aside is there, with those bytes. */
async function setAsideFaults(
  world: DamageWorld,
  site: BrokenSite,
  reports: readonly OrderReport[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { setAside, submission } of reports.flatMap(({ lines }) => lines)) {
    if (setAside === undefined) continue;
    const bytes = await readFile(join(world.root(site), setAside)).catch(() => undefined);
    if (bytes === undefined || sha256(bytes) !== setAside.split('/').at(-1))
      faults.push(`what ${submission} had is not kept as ${setAside}`);
  }
  return faults;
}

/** Which file it is, and when it was last written, by path. */
type Files = ReadonlyMap<string, string>;

async function identityOf(path: string): Promise<string> {
  const { ino, mtimeNs } = await stat(path, { bigint: true });
  return `${ino} ${mtimeNs}`;
}

/** The objects of both sites that are good, and must stay what they are. */
async function goodFiles(
  { world }: Run,
  site: BrokenSite,
  broken: ReadonlyMap<string, Broken>,
): Promise<Files> {
  const files = new Map<string, string>();
  for (const one of ZURICH) {
    const folder = join(world.root(one), 'samples');
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || (one === site && broken.has(entry.name))) continue;
      const path = join(entry.parentPath, entry.name);
      files.set(path, await identityOf(path));
    }
  }
  return files;
}

async function changedFiles(files: Files): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const [path, before] of files)
    if ((await identityOf(path).catch(() => 'nothing')) !== before)
      changed.push(`a good copy was displaced: ${path}`);
  return changed;
}
