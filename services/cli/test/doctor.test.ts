import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@residency/coded-error';
import type { LogRecord, NewRecord } from '@residency/contracts';
import {
  TOPICS,
  encodeAuditEvent,
  policyEntry,
  policyTick,
  readPolicy,
} from '@residency/contracts';
import {
  CHECKPOINT_PATH,
  EMPTY_LEDGER,
  formatCheckpoint,
  formatNote,
  growth,
} from '@residency/ledger';
import { assess, ok } from '@residency/observation';
import type { CheckResult, Snapshot } from '@residency/observation';
import type { PolicyPublished } from '@residency/residency';
import { FIRST_POLICY } from '@residency/standalone';
import { someAuditEvent } from '@residency/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { observeService } from '../src/probing/readiness.ts';
import type { Fetch } from '../src/probing/readiness.ts';
import { assessed, assessmentOf, factOf } from '../src/doctor/assessed.ts';
import { compareClocks, localClock, readingOf } from '../src/doctor/clocks.ts';
import { judgeDisk, judgeEmbeddedLedger } from '../src/doctor/data-checks.ts';
import { clusterLedgerChecks } from '../src/doctor/cluster-ledger-checks.ts';
import type { ClusterParts } from '../src/doctor/cluster-parts.ts';
import { judgeKeyFile } from '../src/doctor/judge-key-file.ts';
import { judgeKeys, judgePrivateKeys } from '../src/doctor/judge-keys.ts';
import { judgePassedOver, unreadablePolicies } from '../src/doctor/judge-passed-over.ts';
import { documentsOf, judgePolicySites } from '../src/doctor/judge-policy.ts';
import { Part, given } from '../src/doctor/part.ts';
import { clockOfAnswer, clockOfHttp } from '../src/doctor/read-clocks.ts';
import { runChecks } from '../src/doctor/run-checks.ts';
import type { Check } from '../src/doctor/run-checks.ts';
import { judgeConfiguration, settingsPart } from '../src/doctor/settings-parts.ts';
import { judgeTicks, watchTicks } from '../src/doctor/ticks.ts';
import type { TickLog } from '../src/doctor/ticks.ts';
import { Output } from '../src/terminal/output.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const CANARY = 'canary0canary';
const never = new AbortController().signal;
const options = { patienceMs: 50, signal: never };

/** State and text, as one. */
function said(results: readonly CheckResult[]): readonly string[] {
  return results.map(({ state, found, next = '' }) => `${state}: ${found} ${next}`);
}

async function resultsOf(checks: readonly Check[]): Promise<readonly string[]> {
  const results: string[] = [];
  for await (const { check, state, found, next = '' } of runChecks(checks))
    results.push(`${check} ${state}: ${found} ${next}`.trim());
  return results;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'residency-doctor-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('checks', () => {
  it('are told in their order, each whatever the others meet, and one that needs what failed says what', async () => {
    const broken = new Part('Kafka', () =>
      Promise.reject(
        new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'no broker', remedy: 'retry' }),
      ),
    );
    const upon = new Part('the policy log', () => given(options, [broken], () => 1));
    expect(
      await resultsOf([
        { name: 'slow', run: async () => [ok('slow', await sleep(20, 'came'))] },
        { name: 'Kafka', run: async () => [ok('Kafka', String(await broken.value()))] },
        { name: 'policy', run: () => given(options, [upon], () => []) },
        { name: 'fine', run: () => Promise.resolve([ok('fine', 'yes')]) },
      ]),
    ).toEqual([
      'slow ok: came',
      'Kafka unknown: no broker',
      'policy unknown: needs Kafka',
      'fine ok: yes',
    ]);
  });

  it('that hang end after their time, those that need them at once', async () => {
    const hangs = new Part('Redis', () =>
      given(options, [], () => Promise.withResolvers<number>().promise),
    );
    let aborted: AbortSignal | undefined;
    expect(
      await resultsOf([
        { name: 'Redis', run: async () => [ok('Redis', String(await hangs.value()))] },
        {
          name: 'consent view',
          run: () => given({ ...options, patienceMs: 0 }, [hangs], () => []),
        },
        {
          name: 'store',
          run: () =>
            given(options, [], async (_, signal) => {
              aborted = signal;
              return await Promise.withResolvers<readonly CheckResult[]>().promise;
            }),
        },
      ]),
    ).toEqual([
      expect.stringMatching(/^Redis unknown: .*within 50 ms/),
      'consent view unknown: needs Redis',
      expect.stringMatching(/^store unknown: .*within 50 ms/),
    ]);
    expect(aborted?.aborted).toBe(true);
  });

  it('tell what was reached and is not right as wrong, and of an error that is not ours its kind alone', async () => {
    const fails = (name: string, error: Error): Check => ({
      name,
      run: () => Promise.reject(error),
    });
    expect(
      await resultsOf([
        fails(
          'site',
          new CodedError({ code: 'SITE_REFUSED', message: 'refused', remedy: 'retry' }),
        ),
        fails(
          'view',
          new CodedError({ code: 'CONSENT_VIEW_EMPTY', message: 'empty', remedy: 'retry' }),
        ),
        fails(
          'away',
          new CodedError({ code: 'SITE_UNREACHABLE', message: 'away', remedy: 'retry' }),
        ),
        fails('defect', new TypeError(CANARY)),
      ]),
    ).toEqual([
      'site wrong: refused',
      'view wrong: empty',
      'away unknown: away',
      'defect unknown: a defect (TypeError) Run it again with RESIDENCY_DEBUG=1 and report it.',
    ]);
  });
});

describe('clocks', () => {
  /** A local clock that an injected answer takes 40 ms of. */
  function localFrom(start: number): () => number {
    let at = start - 40;
    return () => (at += 40);
  }

  it('differ only where what was read leaves no doubt', () => {
    const local = localClock('this machine');
    const redis = (at: number) =>
      readingOf('Redis', { at: NOW + at, grain: 1, asked: NOW, answered: NOW + 200 });
    expect(said(compareClocks([local, redis(1_150)], 1_000))).toEqual([
      expect.stringMatching(/^ok/),
    ]);
    expect(said(compareClocks([local, redis(1_250)], 1_000))).toEqual([
      expect.stringMatching(/^wrong: Redis is at least 1.1 s ahead of this machine/),
    ]);
    expect(said(compareClocks([local, redis(-950)], 1_000))).toEqual([
      expect.stringMatching(/^ok/),
    ]);
    expect(said(compareClocks([local, redis(-1_050)], 1_000))).toEqual([
      expect.stringMatching(/^wrong: this machine is at least 1 s ahead of Redis/),
    ]);
  });

  it("are compared with each other, not only with this machine's", () => {
    const results = compareClocks(
      [
        localClock('this machine'),
        { clock: 'Redis', least: 800, most: 800 },
        { clock: 'store', least: -800, most: -800 },
      ],
      1_000,
    );
    expect(said(results)).toEqual([
      expect.stringMatching(/^wrong: Redis is at least 1.6 s ahead of store/),
    ]);
  });

  it("are read from Redis and from any answer's Date, whose seconds are whole", async () => {
    expect(
      await clockOfAnswer('Redis', localFrom(NOW), () => Promise.resolve(NOW + 3_000)),
    ).toEqual({ clock: 'Redis', least: 2_960, most: 3_001 });
    expect(
      await clockOfAnswer('Redis', localFrom(NOW), () => Promise.resolve(undefined)),
    ).toBeUndefined();
    const ask = (headers: Record<string, string>) => () =>
      Promise.resolve(new Response('refused', { status: 403, headers }));
    const options = { now: localFrom(NOW), signal: never };
    expect(
      await clockOfHttp('store', new URL('http://store'), {
        ...options,
        ask: ask({ date: new Date(NOW - 5_000).toUTCString() }),
      }),
    ).toEqual({ clock: 'store', least: -5_040, most: -4_001 });
    expect(
      await clockOfHttp('store', new URL('http://store'), { ...options, ask: ask({}) }),
    ).toBeUndefined();
    await expect(
      clockOfHttp('store', new URL('http://store'), {
        ...options,
        ask: () => Promise.reject(new Error(CANARY)),
      }),
    ).rejects.toThrow(/^Expected store to answer, found that it does not/);
  });

  const logOf = (records: readonly { readonly key: string; readonly at: number }[]): TickLog => ({
    ends: () => Promise.resolve(new Map([[0, 7n]])),
    async *read(_, { signal }) {
      for (const { key, at } of records) yield { key: Buffer.from(key), at } as LogRecord;
      await new Promise((resolve) => {
        signal?.addEventListener('abort', resolve, { once: true });
      });
    },
  });

  it('of brokers are bounded by the ticks that come, however long they were on their way', async () => {
    const [ahead, apart, late] = [3_000, 250, 2_400];
    // A tick each quarter of a second, by a clock that is ahead; each arrives late.
    let now = NOW;
    const log: TickLog = {
      ...logOf([]),
      async *read() {
        yield { key: Buffer.from('consent-0001'), at: NOW + 90_000 } as LogRecord;
        for (let nth = 1; nth <= 3; nth += 1) {
          now = NOW + nth * apart + late;
          yield { key: Buffer.from('tick'), at: NOW + nth * apart + ahead } as LogRecord;
        }
      },
    };
    const reading = await watchTicks(log, TOPICS.consents, { now: () => now, signal: never });
    expect(reading).toEqual({
      clock: 'Kafka (threat.consents)',
      least: ahead - late,
      most: ahead + 2 * apart,
    });
  });

  it('of brokers have no upper bound by a single tick, which may be older than the question', async () => {
    const log = logOf([{ key: 'tick', at: NOW - 400 }]);
    expect(
      await watchTicks(log, TOPICS.consents, { now: () => NOW, signal: never, watchMs: 20 }),
    ).toMatchObject({ least: -400, most: Infinity });
  });

  it('where none comes that is wrong, though other records do', async () => {
    const reading = await watchTicks(logOf([{ key: 'consent-0001', at: NOW }]), TOPICS.consents, {
      now: () => NOW,
      signal: never,
      watchMs: 20,
    });
    expect(reading).toBeUndefined();
    expect(said([judgeTicks('ticks', reading)])).toEqual([
      expect.stringMatching(/^wrong: no tick in 4 s .*start one/),
    ]);
    expect(said([judgeTicks('ticks', localClock('Kafka'))])).toEqual([
      expect.stringMatching(/^ok/),
    ]);
  });
});

describe('the policy', () => {
  async function published(
    change: (document: PolicyPublished['document']) => PolicyPublished['document'] = (document) =>
      document,
  ): Promise<PolicyPublished> {
    const { document, digest } = readPolicy(await readFile(FIRST_POLICY));
    const changed = change(document);
    return {
      document: changed,
      digest: changed === document ? digest : 'another',
      appendedAt: NOW - 1_000,
    };
  }

  it('needs each of its sites configured and a key for each region, also one that is yet to come', async () => {
    const first = await published();
    const later = await published((document) => ({
      ...document,
      version: 2,
      effectiveFrom: '2027-01-01T00:00:00Z',
      regions: document.regions.map((region) =>
        region.id === 'zurich' ? { ...region, sites: [...region.sites, 'new-1'] } : region,
      ),
    }));
    const documents = documentsOf([first, later], NOW);
    expect(documents.map(({ version }) => version)).toEqual([1, 2]);
    const places = [
      { site: 'zrh-1', region: 'zurich' },
      { site: 'zrh-2', region: 'moscow' },
      { site: 'mow-1', region: 'moscow' },
    ];
    expect(judgePolicySites(documents, places).map(({ code }) => code)).toEqual([
      'SITE_ELSEWHERE',
      'SITE_NOT_CONFIGURED',
    ]);
    const right = [
      { site: 'zrh-1', region: 'zurich' },
      { site: 'zrh-2', region: 'zurich' },
      { site: 'mow-1', region: 'moscow' },
    ];
    expect(said(judgePolicySites([first.document], right))).toEqual([
      expect.stringMatching(/^ok: 3 sites/),
    ]);
    expect(
      said(
        judgeKeys(['zurich', 'moscow'], (region) =>
          region === 'zurich' ? { id: 'z-1', publicKeyPem: '' } : undefined,
        ),
      ),
    ).toEqual(['ok: z-1 seals ', expect.stringMatching(/^wrong: none .*keys add --region moscow/)]);
  });
});

it('private keys in the keys folder are noted, and a key file that others can read is wrong', async () => {
  const path = await folder();
  expect(said([await judgePrivateKeys(join(path, 'missing'))])).toEqual([
    expect.stringMatching(/^ok: none/),
  ]);
  await mkdir(join(path, 'zurich'));
  await writeFile(join(path, 'zurich', 'z-1.private.pem'), CANARY);
  expect(said([await judgePrivateKeys(path)])).toEqual([
    expect.stringMatching(/^ok: 1 private key .*public halves alone/),
  ]);

  const file = join(path, 'ledger-key');
  expect(said([await judgeKeyFile(file)])).toEqual([expect.stringMatching(/^wrong: no such file/)]);
  await writeFile(file, CANARY);
  const states: string[] = [];
  for (const mode of [0o600, 0o400, 0o640, 0o604, 0o620]) {
    await chmod(file, mode);
    const result = await judgeKeyFile(file);
    expect(result.found).toContain(mode.toString(8));
    states.push(result.state);
  }
  expect(states).toEqual(['ok', 'ok', 'wrong', 'wrong', 'wrong']);
});

it('the ledger of a data directory is wrong if it is behind while nobody routes, or ahead', () => {
  expect(
    [
      judgeEmbeddedLedger({ size: 3, events: 3, runs: false }),
      judgeEmbeddedLedger({ size: 2, events: 3, runs: true }),
      judgeEmbeddedLedger({ size: 2, events: 3, runs: false }),
      judgeEmbeddedLedger({ size: 4, events: 3, runs: true }),
    ].map(({ state }) => state),
  ).toEqual(['ok', 'ok', 'wrong', 'wrong']);
});

describe('the ledgers of a cluster', () => {
  /**
   * One partition, whose intake log ends before offset 5; a router and an auditor bring it and the
   * ledger to 5 while the checkpoint is read.
   */
  function growing(): {
    readonly parts: Pick<ClusterParts, 'kafka' | 'ledgerSettings' | 'ledgers' | 'kept'>;
    readonly asked: () => number | undefined;
  } {
    const event = encodeAuditEvent(someAuditEvent(5));
    const { root, files } = growth(EMPTY_LEDGER, [event]);
    const checkpoint = formatNote({
      text: formatCheckpoint({ origin: 'audit.example', size: 1, root, extensions: [] }),
      signatures: [{ name: 'audit.example', keyId: 1, signature: new Uint8Array(8) }],
    });
    const ledger = new Map(
      [...files, { path: CHECKPOINT_PATH, bytes: checkpoint }].map(({ path, bytes }) => [
        `0/${path}`,
        bytes,
      ]),
    );
    let end = 5n;
    let asked: number | undefined;
    const log = {
      name: 'log-1',
      starts: () => Promise.resolve(new Map([[0, 0n]])),
      ends: () => Promise.resolve(new Map([[0, end]])),
      // No policy, so no region.
      read: async function* () {},
      // The first is the audit log.
      since: (_: unknown, at: number) => {
        asked ??= at;
        return Promise.resolve(new Map([[0, 0n]]));
      },
    };
    const store = {
      read: (path: string) => {
        end = 6n;
        return Promise.resolve(ledger.get(path));
      },
    };
    const part = <T>(name: string, value: T) => new Part(name, () => Promise.resolve(value));
    const parts = {
      kafka: part('Kafka', log),
      ledgerSettings: part('settings', { origin: 'audit.example' }),
      ledgers: part('ledgers', store),
      kept: part('kept', { read: () => Promise.resolve(undefined) }),
    } as unknown as ClusterParts;
    return { parts, asked: () => asked };
  }

  const look = async (env: Readonly<Record<string, string>>) => {
    const { parts, asked } = growing();
    const file = {
      env: { RESIDENCY_LEDGER_DIR: '/ledgers', ...env },
      clientId: 'test',
      origin: () => undefined,
      readFile: () => '',
    };
    const session = {
      output: new Output(process.stdout, process.stderr),
      env: {},
      signal: never,
      now: () => NOW,
      abandonIn: () => undefined,
    };
    const results = await resultsOf(
      clusterLedgerChecks({ options: { ...options, patienceMs: 5_000 }, file, session }, parts),
    );
    return { results, patienceMs: NOW - (asked() ?? NOW) };
  };

  it("are not taken for another log's where both grow during the look", async () => {
    expect((await look({})).results).toEqual([
      expect.stringMatching(/^ledger unknown: 1 checkpoint of 1 entries, none behind/),
    ]);
  });

  it('may be five minutes behind, and what an auditor lets pass between two checkpoints', async () => {
    expect((await look({})).patienceMs).toBe(305_000);
    expect((await look({ RESIDENCY_LEDGER_INTERVAL_MS: '3600000' })).patienceMs).toBe(3_900_000);
    expect((await look({ RESIDENCY_LEDGER_INTERVAL_MS: 'soon' })).results).toEqual([
      'ledger unknown: needs configuration (auditing)',
    ]);
  });
});

it('a disk is wrong if it is nearly full', () => {
  expect([judgeDisk(2 ** 30).state, judgeDisk(2 ** 20).state]).toEqual(['ok', 'wrong']);
});

it('what the assessment judges is shown by its check, and what builds on a fact says what it needs', async () => {
  const of = (value: Snapshot) => new Part('the snapshot', () => Promise.resolve(value));
  const unreached = (code: string) => ({ unknown: { code, message: 'needs Kafka' } });
  const known = of({ control: { known: { mode: 'running', logLevels: {} } } });
  expect(await resultsOf([assessed(assessmentOf(known), 'control')])).toEqual([
    'control ok: running',
  ]);
  expect(
    await resultsOf([assessed(assessmentOf(of({ control: unreached('NEEDED') })), 'control')]),
  ).toEqual(['control unknown: needs Kafka']);
  const control = (value: Snapshot) =>
    factOf('the control log', of(value), (snapshot) => snapshot.control).needed();
  await expect(control({ control: unreached('NEEDED') })).rejects.toThrow('needs Kafka');
  await expect(control({ control: unreached('NO_ANSWER') })).rejects.toThrow(
    'needs the control log',
  );
  const broken = new Part<Snapshot>('the snapshot', () => Promise.reject(new TypeError(CANARY)));
  expect(await resultsOf([assessed(assessmentOf(broken), 'control')])).toEqual([
    expect.stringMatching(/^control unknown: a defect \(TypeError\)/),
  ]);
});

it('records that a topic does not hold are counted, ticks not, and each topic is named', async () => {
  const record = (offset: bigint, { key, headers, value }: NewRecord): LogRecord => ({
    topic: 'residency.policy',
    partition: 0,
    offset,
    at: 1,
    key,
    headers,
    value,
  });
  const noise = { key: null, headers: [], value: Buffer.from('{}') };
  const first = readPolicy(await readFile(FIRST_POLICY));
  const records = [
    record(0n, policyTick('t').record),
    record(1n, noise),
    record(2n, policyEntry(first.document, 'e').record),
    record(3n, { ...noise, value: null }),
  ];
  expect(
    await unreadablePolicies(
      (async function* all() {
        yield* await Promise.resolve(records);
      })(),
    ),
  ).toBe(2);
  expect(
    said(judgePassedOver({ 'threat.consents': 0, 'residency.policy': 2, 'residency.control': 1 })),
  ).toEqual([
    expect.stringMatching(/^wrong: 2 records of residency.policy/),
    expect.stringMatching(/^wrong: 1 record of residency.control/),
  ]);
  expect(said(judgePassedOver({ 'residency.policy': 0 }))).toEqual([
    expect.stringMatching(/^ok: no record of residency.policy/),
  ]);
});

it('a service is ready, waits for something, is none, or does not answer', async () => {
  const answers = (status: number, body: string) => () =>
    Promise.resolve(new Response(body, { status }));
  const judged = async (base: string, ask: Fetch): Promise<CheckResult> => {
    const service = await observeService(base, options.patienceMs, { signal: never, ask });
    const [result = ok('service', 'not judged')] = assess({ services: [service] });
    return result;
  };
  const asked: string[] = [];
  const ready = await judged('http://router:8080/ops', (url) => {
    asked.push(url.href);
    return answers(200, JSON.stringify({ ready: true, checks: [{ name: 'process', ok: true }] }))();
  });
  expect([asked, ready]).toEqual([
    ['http://router:8080/ops/readyz'],
    { check: 'service router:8080', state: 'ok', found: 'ready' },
  ]);
  const body = JSON.stringify({
    ready: false,
    checks: [
      { name: 'process', ok: true },
      { name: 'routing', ok: false, detail: 'waits: ROUTING_PAUSED\u0007' },
    ],
  });
  expect((await judged('http://router', answers(503, body))).found).toBe(
    'not ready: routing waits: ROUTING_PAUSED?',
  );
  expect(
    (await judged('http://router', answers(503, JSON.stringify({ ready: false, checks: [] }))))
      .found,
  ).toBe('not ready');
  for (const other of [
    answers(200, '{}'),
    answers(200, '<html>'),
    answers(503, 'x'.repeat(200_000)),
  ])
    expect(await judged('http://router', other)).toMatchObject({
      state: 'wrong',
      code: 'NOT_A_SERVICE',
    });
  expect((await judged('http://router', answers(404, ''))).state).toBe('wrong');
  expect(await judged('http://router', () => Promise.reject(new Error(CANARY)))).toMatchObject({
    state: 'unknown',
    found: expect.stringContaining('no answer'),
  });
  expect(
    await judged('http://router', () => Promise.withResolvers<Response>().promise),
  ).toMatchObject({ state: 'unknown', code: 'NO_ANSWER' });
});

it("a configuration's mistakes are all told, without a secret, and each section is used by itself", async () => {
  const env = {
    RESIDENCY_LOG: 'log-1',
    RESIDENCY_KAFKA_BROKERS: '127.0.0.1:1',
    RESIDENCY_KAFKA_CLUSTER_ID: 'cluster',
    RESIDENCY_REDIS_URL: 'redis://127.0.0.1:1',
    RESIDENCY_REGIONS_FILE: 'regions.json',
    RESIDENCY_KEYS_DIR: 'keys',
  };
  const file = (over: Readonly<Record<string, string>> = {}) => ({
    env: { ...env, ...over },
    clientId: 'test',
    origin: () => undefined,
    readFile: () =>
      JSON.stringify({
        sites: { 'zrh-1': { region: 'zurich', bucket: 'zrh-1', awsRegion: 'eu-central-2' } },
      }),
  });
  expect(said(judgeConfiguration(file()))).toEqual([expect.stringMatching(/^ok: 6 settings/)]);
  const mistaken = file({
    RESIDENCY_KAFKA_PASSWORD: CANARY,
    RESIDENCY_TYPO: CANARY,
    RESIDENCY_LEDGER_INTERVAL_MS: 'soon',
  });
  const results = said(judgeConfiguration(mistaken));
  expect(results).toEqual(
    expect.arrayContaining([
      expect.stringContaining('RESIDENCY_KAFKA_PASSWORD'),
      expect.stringContaining('RESIDENCY_TYPO'),
      expect.stringContaining('RESIDENCY_LEDGER_INTERVAL_MS'),
    ]),
  );
  expect(results.join('')).not.toContain(CANARY);
  expect(await settingsPart(mistaken, 'redis').value()).toMatchObject({ log: 'log-1' });
  await expect(settingsPart(mistaken, 'kafka').needed()).rejects.toThrow(
    'needs configuration (kafka)',
  );
});
