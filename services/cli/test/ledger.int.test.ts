import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { alterLog, makeFolder, temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';

const LEDGER = '.residency/ledger/0';

async function routedFolder(folder: Folder): Promise<Folder> {
  for (const name of ['one', 'two', 'three'])
    await writeFile(join(folder.path, name), `sample ${name}`);
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  for (const country of ['CH', 'BR'])
    await folder.json(
      0,
      'publish',
      'one',
      'two',
      '--country',
      country,
      '--consent',
      'consent-0001',
      '--source',
      `urn:test:${country}`,
    );
  await folder.json(0, 'publish', 'three', '--country', 'CH', '--consent', 'never-given');
  await folder.json(0, 'route', '--once');
  return folder;
}

/** A copy whose log and ledger can be altered. */
async function copied(): Promise<Folder> {
  const copy = await temporaryFolder();
  await cp(folder.path, copy.path, { recursive: true });
  await cp(folder.checkpoints, copy.checkpoints, { recursive: true });
  return copy;
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const byte = at < 0 ? bytes.length + at : at;
  bytes.writeUInt8(bytes.readUInt8(byte) ^ 1, byte);
  await writeFile(path, bytes);
}

let folder: Folder;
let key: string;
let stored: string;
beforeAll(async () => {
  folder = await routedFolder(await makeFolder());
  key = String((await folder.json(0, 'audit', 'key', 'show'))[0]?.['key']);
  stored = String(
    (await folder.json(0, 'audit', 'list', '--outcome', 'stored', '--region', 'moscow'))[0]?.[
      'causationid'
    ],
  );
});
afterAll(() => folder.remove());

describe('audit prove and verify', () => {
  it('give a receipt and the event, which a stranger checks with nothing but the key', async () => {
    const [proven] = await folder.json(0, 'audit', 'prove', stored, '--out', 'r.tlog-proof');
    expect(proven).toMatchObject({
      submission: stored,
      outcome: 'stored',
      index: 2,
      size: 5,
      origin: key.split('+')[0],
      leaf: 'r.tlog-proof.leaf',
    });
    const elsewhere = await temporaryFolder();
    for (const file of ['r.tlog-proof', 'r.tlog-proof.leaf'])
      await cp(join(folder.path, file), join(elsewhere.path, file));
    const [verified] = await elsewhere.json(0, 'audit', 'verify', 'r.tlog-proof', '--key', key);
    expect(verified).toMatchObject({
      verified: true,
      index: 2,
      outcome: 'stored',
      place: 'moscow',
      country: 'BR',
      submission: stored,
      position: proven?.position,
      sites: ['mow-1'],
    });
    expect(await readdir(elsewhere.path)).toEqual(['r.tlog-proof', 'r.tlog-proof.leaf']);
    expect((await elsewhere.run('audit', 'verify', 'r.tlog-proof', '--key', key)).out).toMatch(
      /^Verified: leaf 2 of residency-router\//,
    );
    expect((await folder.run('audit', 'prove', stored, '--out', 'r.tlog-proof')).code).toBe(2);
    expect((await folder.run('audit', 'prove', '0'.repeat(64), '--out', 'other')).code).toBe(2);
  });

  it('refuse a receipt for another leaf, an altered one, and another key', async () => {
    const [first, second] = (await folder.json(0, 'audit', 'list', '--outcome', 'stored')).map(
      ({ id }) => String(id),
    );
    const submission = String(
      (await folder.json(0, 'audit', 'list', '--outcome', 'stored'))[0]?.['causationid'],
    );
    await folder.json(0, 'audit', 'prove', submission, '--position', first ?? '', '--out', 'a');
    expect(
      (await folder.run('audit', 'prove', submission, '--position', second ?? '', '--out', 'b'))
        .code,
    ).toBe(2);
    const refusal = async (...args: readonly string[]): Promise<unknown> =>
      (await folder.json(1, 'audit', 'verify', ...args))[0]?.['code'];
    await folder.json(0, 'audit', 'prove', stored, '--out', 'b');
    expect(await refusal('a', '--leaf', 'b.leaf', '--key', key)).toBe('ROOT_MISMATCH');
    await cp(join(folder.path, 'a.leaf'), join(folder.path, 'altered.leaf'));
    await flip(join(folder.path, 'altered.leaf'), 20);
    expect(await refusal('a', '--leaf', 'altered.leaf', '--key', key)).toBe('ROOT_MISMATCH');
    // Another letter of base64: a flipped bit may leave none.
    const receipt = await readFile(join(folder.path, 'a'), 'utf8');
    const letter = receipt.at(-10) === 'A' ? 'B' : 'A';
    await writeFile(
      join(folder.path, 'a'),
      `${receipt.slice(0, -10)}${letter}${receipt.slice(-9)}`,
    );
    expect(await refusal('a', '--key', key)).toBe('SIGNATURE_INVALID');
    const stranger = await routedFolder(await temporaryFolder());
    const [other] = await stranger.json(0, 'audit', 'key', 'show');
    expect(await refusal('b', '--key', String(other?.['key']))).toBe('KEY_UNKNOWN');
    expect((await folder.run('audit', 'verify', 'b', '--key', `${key}x`)).code).toBe(2);
  });

  it('say where an event is not in the ledger yet', async () => {
    const waiting = await temporaryFolder();
    await writeFile(join(waiting.path, 'f'), 'sample');
    await waiting.json(0, 'publish', 'f', '--country', 'CH', '--consent', 'never-given');
    await waiting.json(0, 'route', '--once');
    await waiting.json(
      0,
      'publish',
      'f',
      '--country',
      'CH',
      '--consent',
      'never-given',
      '--source',
      'urn:test:later',
    );
    // Settled, and no checkpoint since.
    await cp(join(waiting.path, '.residency/ledger'), join(waiting.path, 'before'), {
      recursive: true,
    });
    await waiting.json(0, 'route', '--once');
    const last = String((await waiting.json(0, 'audit', 'list')).at(-1)?.['causationid']);
    await cp(join(waiting.path, 'before/0/checkpoint'), join(waiting.path, LEDGER, 'checkpoint'));
    expect(await waiting.run('audit', 'prove', last, '--out', 'r')).toMatchObject({
      code: 3,
      err: expect.stringContaining('(NOT_IN_LEDGER)'),
    });
    expect((await waiting.json(0, 'reconcile')).at(-1)).toMatchObject({
      ledgers: expect.arrayContaining([
        expect.objectContaining({ partition: 0, size: 1, compared: 1, notYet: 1 }),
      ]),
    });
  });
});

describe('audit key', () => {
  it('is made once, with the data directory, shown, and never replaced', async () => {
    const fresh = await temporaryFolder();
    await fresh.json(0, 'policy', 'show');
    await fresh.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
    expect(await fresh.run('audit', 'fsck')).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('its log has no event'),
    });
    const [made] = await fresh.json(0, 'audit', 'key', 'show');
    expect((await fresh.run('audit', 'key', 'show')).out.split('\n')[0]).toBe(made?.['key']);
    expect((await fresh.run('audit', 'key', 'generate')).code).toBe(2);
    expect(await readFile(join(fresh.path, '.residency', 'ledger-key'), 'utf8')).toMatch(
      /^PRIVATE\+KEY\+residency-router\+/,
    );
  });
});

describe('audit fsck', () => {
  it('makes the ledger anew from its entries: of this system, of a folder, and over HTTP', async () => {
    const [own] = await folder.json(0, 'audit', 'fsck');
    expect(own).toMatchObject({ ledger: 'partition 0', size: 5, findings: 0 });
    for (const target of [LEDGER])
      expect(await folder.json(0, 'audit', 'fsck', target, '--key', key)).toEqual([
        { ...own, ledger: LEDGER },
      ]);
    const server = createServer((request, response) => {
      readFile(join(folder.path, '.residency', request.url ?? '')).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await new Promise((resolve) => {
      server.once('listening', resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ledger/0`;
    expect(await folder.json(0, 'audit', 'fsck', url, '--key', key)).toEqual([
      { ...own, ledger: url },
    ]);
    expect(await folder.json(1, 'audit', 'fsck', `${url}/none`, '--key', key)).toMatchObject([
      { fault: { code: 'CHECKPOINT_MISSING', path: 'checkpoint' } },
    ]);
    expect(
      (await folder.run('audit', 'fsck', 'http://127.0.0.1:1/ledger/0', '--key', key)).code,
    ).toBe(3);
    expect((await folder.run('audit', 'fsck', LEDGER)).code).toBe(2);
    expect((await folder.run('audit', 'fsck', 'one', '--key', key)).code).toBe(2);
  });

  it.each([
    ['tile/entries/000.p/5', 'ENTRIES_DIFFER'],
    ['tile/0/000.p/5', 'TILE_DIFFERS'],
    ['checkpoint', 'CHECKPOINT_UNTRUSTED'],
  ])('names %s where one bit of it was flipped', async (path, code) => {
    const altered = await copied();
    await flip(join(altered.path, LEDGER, path), 60);
    expect((await altered.json(1, 'audit', 'fsck'))[0]).toMatchObject({ fault: { code, path } });
    expect((await altered.run('audit', 'fsck', LEDGER, '--key', key)).out).toMatch(
      new RegExp(`^${code} +${LEDGER}: ${path} `),
    );
  });

  it('holds the ledger to a checkpoint that was kept', async () => {
    const grown = await copied();
    await cp(join(grown.path, LEDGER, 'checkpoint'), join(grown.path, 'kept'));
    await grown.json(
      0,
      'publish',
      'three',
      '--country',
      'CH',
      '--consent',
      'never-given',
      '--source',
      'urn:test:later',
    );
    await grown.json(0, 'route', '--once');
    expect(await grown.json(0, 'audit', 'fsck', '--since', 'kept')).toMatchObject([
      { size: 6, since: 5 },
    ]);
    // Older than what was kept: its own past, put back.
    await cp(join(grown.path, LEDGER, 'checkpoint'), join(grown.path, 'newer'));
    await cp(join(grown.path, 'kept'), join(grown.path, LEDGER, 'checkpoint'));
    expect(await grown.json(1, 'audit', 'fsck', '--since', 'newer')).toMatchObject([
      { fault: { code: 'INCONSISTENT', path: 'checkpoint' } },
    ]);
  });
});

it('an operator who alters an event to another region and signs a new ledger is found by who decides again, who reconciles, and who kept a checkpoint', async () => {
  const dishonest = await copied();
  await cp(join(dishonest.path, LEDGER, 'checkpoint'), join(dishonest.path, 'kept'));
  alterLog(
    join(dishonest.path, '.residency', 'log.db'),
    `UPDATE record SET value = CAST(replace(CAST(value AS TEXT), '"region":"zurich"', '"region":"moscow"') AS BLOB) WHERE topic = (SELECT id FROM topic WHERE name = 'residency.audit') AND "offset" = 1`,
  );
  await rm(join(dishonest.path, LEDGER), { recursive: true });
  // What is kept apart contradicts it, until that is thrown away too.
  expect((await dishonest.run('route', '--once')).err).toContain('LEDGER_ROLLED_BACK');
  await rm(dishonest.checkpoints, { recursive: true });
  await dishonest.json(0, 'route', '--once');
  // Tree, tiles and signature fit together; only what was decided does not.
  expect((await dishonest.json(0, 'audit', 'fsck'))[0]).toMatchObject({ size: 5, findings: 0 });
  const position = expect.stringMatching(/\/threat\.samples\/0\/1$/);
  expect((await dishonest.json(1, 'audit', 'adjudicate'))[0]).toMatchObject({
    code: 'DECISION_DIFFERS',
    position,
  });
  expect(await dishonest.json(1, 'reconcile')).toContainEqual(
    expect.objectContaining({ code: 'DECISION_DIFFERS', position }),
  );
  expect(await dishonest.json(1, 'audit', 'fsck', '--since', 'kept')).toMatchObject([
    { fault: { code: 'INCONSISTENT', path: 'checkpoint' } },
  ]);
});

describe('reconcile', () => {
  it('compares the ledger too, and writes what was compared and what was not', async () => {
    const [report] = (await folder.json(0, 'reconcile', '--report', 'report.json')).slice(-1);
    expect(report).toMatchObject({
      differences: 0,
      ledgers: expect.arrayContaining([
        expect.objectContaining({ topic: 'residency.audit', size: 5, compared: 5, notYet: 0 }),
      ]),
      ledgersAbsent: [],
    });
    const written = JSON.parse(await readFile(join(folder.path, 'report.json'), 'utf8')) as {
      readonly digests: object;
      readonly notChecked: readonly { readonly what: string }[];
    };
    const [replayed] = await folder.json(0, 'audit', 'replay');
    const [fsck] = await folder.json(0, 'audit', 'fsck');
    expect(written).toMatchObject({
      counts: { objects: 6, differences: 0 },
      differences: [],
      digests: {
        replay: replayed?.['digest'],
        ledgers: expect.arrayContaining([
          expect.objectContaining({ root: fsck?.['root'], size: 5 }),
        ]),
      },
    });
    expect(written.notChecked.map(({ what }) => what)).toContain(
      'whether objects open to the samples that their events name',
    );
    const opened = await folder.json(0, 'reconcile', '--open', '--report', 'opened.json');
    expect(opened.at(-1)).toMatchObject({ opened: 6 });
    expect(await readFile(join(folder.path, 'opened.json'), 'utf8')).not.toContain(
      'whether objects open',
    );
    expect((await folder.run('reconcile', '--report', 'report.json')).code).toBe(2);
  });

  it('finds an event that was altered, and one that is gone, by what the ledger says', async () => {
    const altered = await copied();
    const topic = "topic = (SELECT id FROM topic WHERE name = 'residency.audit')";
    alterLog(
      join(altered.path, '.residency', 'log.db'),
      `UPDATE record SET value = CAST(replace(CAST(value AS TEXT), '"sampleBytes":10', '"sampleBytes":11') AS BLOB) WHERE ${topic} AND "offset" = 1`,
    );
    const differences = await altered.json(1, 'reconcile');
    expect(differences).toContainEqual(
      expect.objectContaining({
        code: 'LEDGER_LEAF_DIFFERS',
        position: expect.stringMatching(/\/threat\.samples\/0\/1$/),
      }),
    );
    expect((await altered.run('reconcile')).out).toMatch(
      /LEDGER_LEAF_DIFFERS .*\/threat\.samples\/0\/1 /,
    );
    const shorter = await copied();
    alterLog(
      join(shorter.path, '.residency', 'log.db'),
      `DELETE FROM record WHERE ${topic} AND "offset" = 4`,
    );
    expect((await shorter.json(1, 'reconcile')).map(({ code }) => code)).toContain('LEDGER_AHEAD');
  });

  it('says where there is no ledger to compare with', async () => {
    const without = await copied();
    await rm(join(without.path, LEDGER), { recursive: true });
    const report = await without.json(0, 'reconcile', '--report', 'without.json');
    expect(report.at(-1)).toMatchObject({
      ledgersAbsent: ['residency.audit/0', 'residency.control/0'],
    });
    expect(await readFile(join(without.path, 'without.json'), 'utf8')).toContain(
      'the ledger of residency.audit/0',
    );
    expect((await without.run('reconcile')).err).toContain(
      'No ledger was compared for the events of residency.audit/0',
    );
  });
});
