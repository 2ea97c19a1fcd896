import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@residency/contracts';
import { expect, test } from 'vitest';
import { defined } from '@residency/defined';
import { inTemporaryFolder, jsonLines, residency, start } from '../e2e/residency.ts';
import { keyCanary, randomCanary, seen, somePrivateKey } from './canaries.ts';
import type { Canary, Haystack } from './canaries.ts';
import { withData } from './data-copies.ts';
import { readLog } from './on-disk.ts';

const SUBJECT = randomCanary('subject');
const SAMPLE = randomCanary('sample');
const PEM = somePrivateKey();
const KEY = keyCanary('private key', PEM);
const PLANTED = [SUBJECT, SAMPLE, KEY];
const GIVEN = 'canary-consent-01';

test('a subject, a sample and private keys that are planted in every input appear in no output', async () => {
  await inTemporaryFolder(async (folder) => {
    const directory = join(folder, '.residency');
    const out = new Outputs(folder);
    await publishCanaries(folder, out);
    const keys = await privateKeys(directory);
    await postCanaries(folder, out);
    await appendCanaries(directory);
    await operate(folder, out);
    await breakThings(folder, out);

    const everyone = [...PLANTED, ...keys];
    // Checks that the canaries were planted and are found where they are kept on purpose.
    // Otherwise the search below would prove nothing.
    expect(seen(PLANTED, kept(directory))).toEqual(
      expect.arrayContaining([
        'subject in threat.subjects',
        'subject in threat.samples',
        'sample in threat.samples',
        'private key in threat.samples',
      ]),
    );
    expect(new Set(readLog(directory).audit.map(({ outcome }) => outcome))).toEqual(
      new Set(['stored', 'duplicate', 'refused', 'quarantined']),
    );

    expect(seen(everyone, out.all)).toEqual([]);
    expect(
      seen(everyone, [
        ...rows(directory, (topic) => topic !== TOPICS.samples && topic !== TOPICS.subjects),
        ...tables(directory),
      ]),
    ).toEqual([]);
    expect(
      seen(
        everyone,
        await filesIn(
          directory,
          (path) => /^(sites|residency\.json)/.test(path) || path.endsWith('.public.pem'),
        ),
      ),
    ).toEqual([]);
  });
});

/** All outputs: of commands, of the service and its logs, of its responses. */
class Outputs {
  readonly all: Haystack[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await residency(this.#folder, ...args);
    this.take(`residency ${args.slice(0, 2).join(' ')} (exit ${String(code)})`, stdout + stderr);
    return stdout;
  }

  async request(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await fetch(url, { method, headers, ...defined({ body }) });
    const text = await answer.text();
    this.take(
      `${method} ${answer.status}`,
      `${answer.statusText}\n${JSON.stringify([...answer.headers])}\n${text}`,
    );
    return { status: answer.status, text };
  }

  take(name: string, text: string): void {
    this.all.push({ name, bytes: Buffer.from(text) });
  }
}

/**
 * Publishes with the command line: stored, duplicate, refused, and quarantined for several reasons.
 */
async function publishCanaries(folder: string, out: Outputs): Promise<void> {
  await mkdir(join(folder, 'in'));
  await writeFile(join(folder, 'in/text.txt'), `${SAMPLE.text}\n${SUBJECT.text}`);
  await writeFile(join(folder, 'in/key.pem'), PEM);
  await out.run('consent', 'grant', '--consent', GIVEN, '--subject', SUBJECT.text);
  await out.run('consent', 'grant', '--consent', `${SUBJECT.text}!`, '--subject', SUBJECT.text);
  await out.run('publish', 'in', '--country', 'CH', '--consent', GIVEN);
  await out.run('publish', 'in', '--country', 'CH', '--consent', GIVEN, '--json');
  await out.run(
    'publish',
    'in',
    '--country',
    SUBJECT.text,
    '--consent',
    GIVEN,
    '--source',
    'urn:canary:country',
  );
  await out.run(
    'publish',
    'in',
    '--country',
    'RU',
    '--consent',
    'canary-never-given',
    '--source',
    `urn:${SUBJECT.text}`,
  );
  await out.run(
    'publish',
    'in',
    '--country',
    'CH',
    '--consent',
    `${SUBJECT.text}!`,
    '--source',
    'urn:canary:consent',
  );
}

/** Sends to the running service: good events, and every kind of faulty one. */
async function postCanaries(folder: string, out: Outputs): Promise<void> {
  const router = await start(folder, '--no-examples');
  try {
    const { url } = router;
    const good = {
      'ce-specversion': '1.0',
      'ce-id': SUBJECT.text,
      'ce-source': `urn:${SUBJECT.text}`,
      'ce-type': 'threat.sample.submitted.v1',
      'ce-usercountry': 'BR',
      'ce-consentid': GIVEN,
      'ce-verdict': 'malicious',
      'content-type': 'text/plain',
    };
    const post = (
      headers: Readonly<Record<string, string>>,
      body: string = SAMPLE.text,
    ): ReturnType<Outputs['request']> => out.request('POST', `${url}/events`, headers, body);
    const accepted = await post({
      ...good,
      'ce-subject': SUBJECT.text,
      'ce-username': SUBJECT.text,
      'ce-traceparent': SUBJECT.text,
      'ce-note': KEY.text,
    });
    expect(accepted.status).toBe(202);
    const {
      accepted: [{ submission }],
    } = JSON.parse(accepted.text) as {
      readonly accepted: readonly [{ readonly submission: string }];
    };
    // The exclamation mark makes the id invalid. A valid consent id is a pseudonym by contract, and
    // the audit log keeps it.
    for (const name of [
      'usercountry',
      'consentid',
      'verdict',
      'samplesha256',
      'partitionkey',
      'type',
      'time',
      'dataclassification',
      'specversion',
      'datacontenttype',
      'source',
    ]) {
      await post({ ...good, 'ce-id': name, [`ce-${name}`]: `${SUBJECT.text}!` });
      await post({ ...good, 'ce-id': `key-${name}`, [`ce-${name}`]: `${KEY.text}!` }, PEM);
    }
    await post({
      ...good,
      'ce-id': 'content-type',
      'content-type': `text/${SUBJECT.text}!;${SUBJECT.text}`,
    });
    await post({ ...good, 'ce-id': 'encoded', 'content-encoding': SUBJECT.text });
    await post(
      { 'content-type': 'application/cloudevents+json' },
      `{"specversion":"1.0","${SUBJECT.text}":"${SAMPLE.text}`,
    );
    await post(
      { 'content-type': 'application/cloudevents+json' },
      JSON.stringify({
        specversion: '1.0',
        id: '1',
        source: 'urn:x',
        type: 'threat.sample.submitted.v1',
        [SUBJECT.text]: SAMPLE.text,
        data: PEM,
      }),
    );
    await post(
      { 'content-type': 'application/cloudevents-batch+json' },
      JSON.stringify([
        { specversion: '1.0', id: SUBJECT.text, source: SAMPLE.text, type: KEY.text },
        SUBJECT.text,
      ]),
    );
    await post(
      { 'content-type': 'application/cloudevents+json' },
      JSON.stringify({
        specversion: '1.0',
        id: '1',
        source: 'urn:x',
        type: 'consent.granted.v1',
        datacontenttype: 'application/json',
        data: { consentId: SUBJECT.text, [SUBJECT.text]: SUBJECT.text },
      }),
    );
    await post(
      { 'content-type': 'application/cloudevents+json' },
      JSON.stringify({
        specversion: '1.0',
        id: '1',
        source: 'urn:x',
        type: 'subject.linked.v1',
        datacontenttype: 'application/json',
        data: { consentId: GIVEN, subject: SUBJECT.text, [SUBJECT.text]: 1 },
      }),
    );
    for (let tries = 0; tries < 100; tries += 1) {
      if (!(await out.request('GET', `${url}/submissions/${submission}`)).text.includes('pending'))
        break;
      await sleep(50);
    }
    for (const path of [
      `submissions/${SUBJECT.text}`,
      `consents/${SUBJECT.text}!`,
      `consents/${GIVEN}`,
      SUBJECT.text,
      `?q=${SUBJECT.text}`,
      'metrics',
      'readyz',
      'livez',
    ])
      await out.request('GET', `${url}/${path}`, {
        authorization: `Bearer ${SUBJECT.text}`,
        'x-canary': KEY.text,
      });
    await out.request('DELETE', `${url}/events/${SUBJECT.text}`);
  } finally {
    await router.stop();
    out.take('output of residency start', router.output());
  }
}

/**
 * Appends directly to the log, as somebody with access to Kafka can: records that the intake would
 * refuse.
 */
async function appendCanaries(directory: string): Promise<void> {
  const headers = (
    values: Readonly<Record<string, string | Buffer>>,
  ): readonly (readonly [string, Buffer])[] =>
    Object.entries(values).map(([name, value]) => [name, Buffer.from(value)]);
  const good = {
    ce_specversion: '1.0',
    ce_id: 'appended',
    ce_source: 'urn:canary',
    ce_type: 'threat.sample.submitted.v1',
    ce_usercountry: 'JP',
    ce_consentid: GIVEN,
    ce_verdict: 'suspicious',
  };
  const contents: readonly Readonly<Record<string, string | Buffer>>[] = [
    { ...good, [`ce_${SUBJECT.text}`]: SUBJECT.text },
    { ...good, [SUBJECT.text]: KEY.text },
    { ...good, ce_usercountry: Buffer.concat([Buffer.from(SUBJECT.text), Buffer.from([0xff])]) },
    { ...good, ce_id: SUBJECT.text.repeat(100) },
    { ...good, ce_note: KEY.text.repeat(10) },
    { ...good, ce_consentid: ` ${SUBJECT.text}` },
    { ...good, ce_usercountry: SUBJECT.text },
    { ...good, ce_type: SUBJECT.text },
    { ...good, ce_verdict: SUBJECT.text },
    { ...good, ce_samplesha256: SUBJECT.text },
    { ...good, ce_dataclassification: SUBJECT.text },
    { ...good, ce_samplesha256: '0'.repeat(64) },
    { ...good, 'residency-redrive-of': SUBJECT.text },
    { 'content-type': `application/cloudevents+json; charset=${SUBJECT.text}` },
    { 'content-type': 'application/cloudevents+json' },
    {},
  ];
  await withData(directory, async ({ log }) => {
    await log.append(
      contents.map((content) => ({
        topic: TOPICS.samples,
        record: {
          key: Buffer.from(SUBJECT.text),
          headers: headers(content),
          value: Buffer.from(`{"${SUBJECT.text}": ${SAMPLE.text} ${PEM}`),
        },
      })),
    );
  });
}

/** Runs the ordinary commands of an operator. */
async function operate(folder: string, out: Outputs): Promise<void> {
  await out.run('route', '--once');
  await out.run('audit', 'list');
  const events = jsonLines(await out.run('audit', 'list', '--json'));
  await out.run('quarantine', 'list');
  const listed = await out.run('quarantine', 'list', '--json');
  // It shows the contract's attributes as sent, on purpose, but never the sample.
  const { stdout, stderr } = await residency(
    folder,
    'quarantine',
    'show',
    String(jsonLines(listed)[0]?.['position']),
  );
  expect(stdout).toContain('COUNTRY_UNKNOWN');
  expect(
    seen([SAMPLE], [{ name: 'quarantine show', bytes: Buffer.from(stdout + stderr) }]),
  ).toEqual([]);
  await out.run('quarantine', 'redrive', '--reason', 'COUNTRY_UNKNOWN');
  await out.run('route', '--once', '--json');
  await out.run('reconcile', '--open');
  await out.run('sample', 'list', '--region', 'zurich', '--json');
  await out.run('keys', 'list');
  const stored = events.find(({ type }) => type === 'residency.sample.stored.v1')?.['causationid'];
  for (const [region, file] of [
    ['zurich', 'opened.bin'],
    ['zurich', 'opened.bin'],
    ['moscow', 'elsewhere.bin'],
  ] as const)
    await out.run('sample', 'open', String(stored), '--region', region, '--out', file);
  await out.run('status', String(stored));
  expect(
    seen([SAMPLE, KEY], [{ name: 'opened', bytes: await readFile(join(folder, 'opened.bin')) }]),
  ).not.toEqual([]);
}

/** Breaks files that hold secrets, because messages about those are most likely to leak. */
async function breakThings(folder: string, out: Outputs): Promise<void> {
  await cp(join(folder, '.residency'), join(folder, 'broken'), { recursive: true });
  const keys = join(folder, 'broken/keys/zurich');
  for (const name of (await readdir(keys)).filter((file) => file.endsWith('.private.pem'))) {
    const pem = await readFile(join(keys, name), 'utf8');
    await writeFile(join(keys, name), pem.slice(0, pem.length / 2) + PEM.slice(PEM.length / 2));
  }
  await out.run('reconcile', '--open', '--data', 'broken');
  // A private key was configured as the public one.
  await writeFile(join(keys, 'zz-mistaken.public.pem'), PEM);
  await out.run(
    'publish',
    'in',
    '--country',
    'CH',
    '--consent',
    GIVEN,
    '--data',
    'broken',
    '--source',
    'urn:canary:broken',
  );
  await out.run('route', '--once', '--data', 'broken');
  const waiting = await start(folder, '--no-examples', '--data', 'broken');
  try {
    await expect
      .poll(async () => (await out.request('GET', `${waiting.url}/readyz`)).text)
      .toContain('NOT_A_PUBLIC_KEY');
  } finally {
    await waiting.stop();
    out.take('output of residency start', waiting.output());
  }
  for (const [name, bytes] of await filesOf(join(folder, 'broken/sites')))
    if (name.includes('/samples/'))
      await writeFile(
        join(folder, 'broken/sites', name),
        Buffer.concat([bytes, Buffer.from(SAMPLE.text)]),
      );
  await out.run('reconcile', '--open', '--data', 'broken');
}

/** The data directory's own keys. Only their secret parts must not appear. */
async function privateKeys(directory: string): Promise<readonly Canary[]> {
  const files = await filesOf(join(directory, 'keys'));
  const keys = files
    .filter(([name]) => name.endsWith('.private.pem'))
    .map(([name, bytes]) => keyCanary(name, bytes.toString()));
  expect(keys).toHaveLength(2);
  return keys;
}

function kept(directory: string): readonly Haystack[] {
  return rows(directory, (topic) => topic === TOPICS.samples || topic === TOPICS.subjects);
}

function rows(directory: string, wanted: (topic: string) => boolean): readonly Haystack[] {
  return query(
    directory,
    'SELECT t.name, r.submission, r.headers, r.key, r.value FROM record r JOIN topic t ON t.id = r.topic',
  ).flatMap(({ name, headers, key, value }) => {
    const topic = String(name);
    const decoded = (JSON.parse(String(headers)) as [string, string][])
      .map(([header, content]) => `${header}: ${Buffer.from(content, 'base64').toString('latin1')}`)
      .join('\n');
    return wanted(topic)
      ? [
          {
            name: topic,
            bytes: Buffer.concat([
              Buffer.from(decoded),
              ...[key, value].map((part) =>
                part instanceof Uint8Array ? Buffer.from(part) : Buffer.alloc(0),
              ),
            ]),
          },
        ]
      : [];
  });
}

function tables(directory: string): readonly Haystack[] {
  return ['audit', 'consent', 'meta', 'topic'].map((table) => ({
    name: `table ${table}`,
    bytes: Buffer.from(JSON.stringify(query(directory, `SELECT * FROM ${table}`))),
  }));
}

function query(directory: string, sql: string): readonly Record<string, unknown>[] {
  const db = new DatabaseSync(join(directory, 'log.db'), { readOnly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

/** Content and name of each file. */
async function filesIn(
  directory: string,
  wanted: (path: string) => boolean,
): Promise<readonly Haystack[]> {
  const files = (await filesOf(directory)).filter(([name]) => wanted(name));
  expect(files.length).toBeGreaterThan(0);
  return files.map(([name, bytes]) => ({ name, bytes: Buffer.concat([Buffer.from(name), bytes]) }));
}

async function filesOf(
  directory: string,
): Promise<readonly (readonly [name: string, bytes: Buffer])[]> {
  const entries = (await readdir(directory, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile(),
  );
  return await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length + 1), await readFile(path)] as const;
    }),
  );
}
