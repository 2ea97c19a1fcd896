import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alterLog, finished, makeFolder, publishSamples, temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';

const DATA = '.residency';
const LEDGER = `${DATA}/ledger/0`;
const AUDIT = "topic = (SELECT id FROM topic WHERE name = 'residency.audit')";

async function makeRouted(): Promise<Folder> {
  const folder = await makeFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  await publishSamples(folder, 'one', 'two', 'three');
  await folder.json(0, 'route', '--once');
  return folder;
}

let three: Folder;
beforeAll(async () => {
  three = await makeRouted();
});
afterAll(() => three.remove());

/** Three events, in a folder that may be altered. */
async function routed(): Promise<Folder> {
  const folder = await temporaryFolder();
  await cp(three.path, folder.path, { recursive: true });
  await cp(three.checkpoints, folder.checkpoints, { recursive: true });
  return folder;
}

/** The data directory of three events put back after two more were routed. */
async function restored(): Promise<Folder> {
  const folder = await routed();
  await cp(join(folder.path, DATA), join(folder.path, 'backup'), { recursive: true });
  await publishSamples(folder, 'four', 'five');
  await folder.json(0, 'route', '--once');
  await rm(join(folder.path, DATA), { recursive: true });
  await cp(join(folder.path, 'backup'), join(folder.path, DATA), { recursive: true });
  await publishSamples(folder, 'six', 'seven');
  return folder;
}

async function eventsOf(folder: Folder): Promise<number> {
  return (await folder.json(0, 'audit', 'list')).length;
}

async function codesOf(folder: Folder, ...command: readonly string[]): Promise<readonly string[]> {
  return (await folder.json(1, ...command)).flatMap(({ code, fault }) =>
    [code, (fault as { readonly code?: string } | undefined)?.code].filter(
      (one) => typeof one === 'string',
    ),
  );
}

/** The rows of `audit new-ledger` about the logs in which append time decides. */
const RECORD_LEDGERS = [
  expect.objectContaining({ topic: 'residency.policy', generation: 2, after: 1 }),
  expect.objectContaining({ topic: 'residency.control', generation: 2 }),
  expect.objectContaining({ topic: 'threat.consents', generation: 2, after: 1 }),
];

describe('a data directory that was put back from a backup', () => {
  it('is not routed and not signed: the checkpoint kept apart is of a later history', async () => {
    const folder = await restored();
    const before = await eventsOf(folder);
    for (const command of [
      ['route', '--once'],
      ['start', '--port', '0'],
    ]) {
      const { code, err } = await folder.run(...command);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(
          /the 5 events of the checkpoint that is kept apart, found 3.*audit new-ledger.*\(LEDGER_ROLLED_BACK\)/,
        ),
      ]);
    }
    // Nothing was settled, nothing signed.
    expect(await eventsOf(folder)).toBe(before);
    expect(await readFile(join(folder.path, LEDGER, 'checkpoint'), 'utf8')).toContain('\n3\n');
    expect(await codesOf(folder, 'audit', 'fsck')).toEqual(['ROLLED_BACK']);
    expect((await folder.run('audit', 'fsck')).out).toMatch(
      /kept apart, of 5 entries, found one of 3/,
    );
    expect(await codesOf(folder, 'doctor')).toContain('LEDGER_ROLLED_BACK');
    expect(await codesOf(folder, 'reconcile')).toContain('LEDGER_ROLLED_BACK');
  });

  it('goes on with a new ledger, whose first leaf is the checkpoint that was kept', async () => {
    const folder = await restored();
    const kept = await readFile(
      join(folder.checkpoints, (await readdir(folder.checkpoints))[0] ?? '', '0', 'checkpoint'),
    );
    expect(await folder.json(0, 'audit', 'new-ledger', '--lost', 'events')).toEqual([
      { topic: 'residency.audit', partition: 0, generation: 2, after: 5 },
      { topic: 'residency.custody.moscow', partition: 0, generation: 2, after: null },
      { topic: 'residency.custody.zurich', partition: 0, generation: 2, after: null },
      ...RECORD_LEDGERS,
    ]);
    await folder.json(0, 'route', '--once');
    const tiles = await readFile(join(folder.path, `${LEDGER}/g2/tile/entries/000.p/6`));
    expect(tiles.subarray(2, 2 + tiles.readUInt16BE(0))).toEqual(kept);
    expect(await folder.json(0, 'audit', 'fsck')).toMatchObject([
      { origin: expect.stringMatching(/\/0\/g2$/), size: 6, findings: 0 },
      {
        origin: expect.stringMatching(/residency\.custody\.moscow\/0\/g2$/),
        size: 1,
        findings: 0,
      },
      {
        origin: expect.stringMatching(/residency\.custody\.zurich\/0\/g2$/),
        size: 1,
        findings: 0,
      },
      { origin: expect.stringMatching(/residency\.policy\/0\/g2$/), size: 2, findings: 0 },
      { origin: expect.stringMatching(/residency\.control\/0\/g2$/), findings: 0 },
      { origin: expect.stringMatching(/threat\.consents\/0\/g2$/), size: 2, findings: 0 },
    ]);
    expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({
      differences: 0,
      ledgers: [
        { size: 6, compared: 5, notYet: 0 },
        { size: 1, compared: 0 },
        { size: 1, compared: 0 },
        { topic: 'residency.policy', size: 2, compared: 1 },
        { topic: 'residency.control', notYet: 0 },
        { topic: 'threat.consents', size: 2, compared: 1 },
      ],
    });
    expect((await folder.json(0, 'doctor')).find(({ check }) => check === 'ledger')).toMatchObject({
      state: 'ok',
    });
    const [key] = await folder.json(0, 'audit', 'key', 'show');
    const [{ causationid } = { causationid: '' }] = await folder.json(
      0,
      'audit',
      'list',
      '--outcome',
      'stored',
    );
    await folder.json(0, 'audit', 'prove', String(causationid), '--out', 'proof');
    expect(
      await folder.json(0, 'audit', 'verify', 'proof', '--key', String(key?.['key'])),
    ).toMatchObject([{ verified: true, index: 1, size: 6 }]);
    // Once begun it is as any other; an older key file is not taken for the newest.
    expect((await folder.run('audit', 'new-ledger', '--lost', 'events')).code).toBe(2);
    await cp(join(folder.path, 'backup', 'ledger-key'), join(folder.path, DATA, 'ledger-key'));
    expect((await folder.run('route', '--once')).err).toContain('LEDGER_ROLLED_BACK');
  });
});

it('a sound ledger is not begun anew', async () => {
  const folder = await routed();
  const before = await readdir(join(folder.path, DATA, 'ledger', '0'));
  for (const lost of ['events', 'key'])
    expect((await folder.run('audit', 'new-ledger', '--lost', lost)).code).toBe(2);
  expect(await readdir(join(folder.path, DATA, 'ledger', '0'))).toEqual(before);
  // What was refused left no trace either.
  expect(await folder.json(0, 'audit', 'list', '--control')).toEqual([]);
});

it('log and ledger cut alike and signed anew are told with both sizes', async () => {
  const folder = await routed();
  alterLog(join(folder.path, DATA, 'log.db'), `DELETE FROM record WHERE ${AUDIT} AND "offset" = 2`);
  await rm(join(folder.path, LEDGER), { recursive: true });
  const { err } = await folder.run('route', '--once');
  expect(err).toMatch(/the 3 events of .*found 2.*LEDGER_ROLLED_BACK/);
  expect(await codesOf(folder, 'reconcile')).toContain('LEDGER_ROLLED_BACK');
});

describe('a key that is lost', () => {
  it.each([[false], [true]])(
    'is not made anew, with the ledger lost too: %s',
    async (ledgerToo) => {
      const folder = await routed();
      await rm(join(folder.path, DATA, 'ledger-key'));
      if (ledgerToo) await rm(join(folder.path, LEDGER), { recursive: true });
      await publishSamples(folder, 'four');
      for (const command of [
        ['route', '--once'],
        ['start', '--port', '0'],
        ['audit', 'key', 'generate'],
        ['audit', 'key', 'show'],
        ['audit', 'key', 'rotate'],
      ]) {
        const { code, err } = await folder.run(...command);
        expect([command, code, err]).toEqual([
          command,
          1,
          expect.stringContaining('LEDGER_KEY_LOST'),
        ]);
      }
      expect(await eventsOf(folder)).toBe(3);
      expect(await codesOf(folder, 'audit', 'fsck')).toContain('LEDGER_KEY_LOST');
      expect(await codesOf(folder, 'doctor')).toContain('LEDGER_KEY_LOST');
      expect(await codesOf(folder, 'reconcile')).toContain('LEDGER_KEY_LOST');
      expect(await readdir(join(folder.path, DATA))).not.toContain('ledger-key');
    },
  );

  it("is replaced in a new ledger that begins with the old one's last checkpoint; the old one stays as it was", async () => {
    const folder = await routed();
    const old = await readFile(join(folder.path, LEDGER, 'checkpoint'));
    const [before] = await folder.json(0, 'audit', 'key', 'show');
    await rm(join(folder.path, DATA, 'ledger-key'));
    expect(await folder.json(0, 'audit', 'new-ledger', '--lost', 'key')).toEqual([
      { topic: 'residency.audit', partition: 0, generation: 2, after: 3 },
      { topic: 'residency.custody.moscow', partition: 0, generation: 2, after: null },
      { topic: 'residency.custody.zurich', partition: 0, generation: 2, after: null },
      ...RECORD_LEDGERS,
    ]);
    expect(await folder.json(0, 'audit', 'list', '--control')).toMatchObject([
      { type: 'residency.ledger.new-ledger-begun.v1', data: { lost: 'key' } },
    ]);
    expect((await folder.json(0, 'audit', 'fsck'))[0]).toMatchObject({ size: 4, findings: 0 });
    expect(
      await folder.json(0, 'audit', 'fsck', LEDGER, '--key', String(before?.['key'])),
    ).toMatchObject([{ size: 3, findings: 0 }]);
    expect(await readFile(join(folder.path, LEDGER, 'checkpoint'))).toEqual(old);
    await publishSamples(folder, 'four');
    await folder.json(0, 'route', '--once');
    expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
    await folder.json(0, 'audit', 'replay');
    expect((await folder.run('doctor')).code).toBe(0);
  });

  it('in whose place another one was put is told by what is kept', async () => {
    const [folder, other] = [await routed(), await temporaryFolder()];
    await other.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
    await cp(join(other.path, DATA, 'ledger-key'), join(folder.path, DATA, 'ledger-key'));
    await rm(join(folder.path, LEDGER), { recursive: true });
    expect((await folder.run('route', '--once')).err).toContain('LEDGER_KEY_UNKNOWN');
    expect(await codesOf(folder, 'doctor')).toContain('LEDGER_KEY_UNKNOWN');
  });
});

describe('a key that is changed', () => {
  it('leaves old receipts good under the old key and new ones under the new; the old key vouches for the new', async () => {
    const folder = await routed();
    const [{ causationid } = { causationid: '' }] = await folder.json(0, 'audit', 'list');
    const submission = String(causationid);
    await folder.json(0, 'audit', 'prove', submission, '--out', 'before');
    const [old] = await folder.json(0, 'audit', 'key', 'show');
    const rotated = await folder.json(0, 'audit', 'key', 'rotate');
    expect(rotated.slice(0, 2)).toMatchObject([
      { state: 'signs' },
      { state: 'former', key: old?.['key'] },
    ]);
    expect(rotated.map(({ topic, state }) => `${String(topic)} ${String(state)}`).slice(2)).toEqual(
      [
        'residency.custody.moscow signs',
        'residency.custody.moscow former',
        'residency.custody.zurich signs',
        'residency.custody.zurich former',
        'residency.policy signs',
        'residency.policy former',
        'residency.control signs',
        'residency.control former',
        'threat.consents signs',
        'threat.consents former',
      ],
    );
    expect(await folder.json(0, 'audit', 'list', '--control')).toMatchObject([
      {
        type: 'residency.ledger.key-change-begun.v1',
        principal: expect.any(String),
        data: { change: 'rotate' },
      },
    ]);
    const both = await readFile(join(folder.path, LEDGER, 'checkpoint'), 'utf8');
    expect(both.match(/^— /gm)).toHaveLength(2);
    expect(both).toContain(`\nnext-key ${String(rotated[0]?.['key'])}\n`);
    await folder.json(0, 'audit', 'prove', submission, '--out', 'between');
    await publishSamples(folder, 'four');
    await folder.json(0, 'route', '--once');
    await folder.json(0, 'audit', 'prove', submission, '--out', 'after');
    const verdict = async (receipt: string, key: unknown): Promise<number | null> =>
      (await folder.run('audit', 'verify', receipt, '--key', String(key))).code;
    const keys = [old?.['key'], rotated[0]?.['key']];
    expect(
      await Promise.all(
        ['before', 'between', 'after'].flatMap((receipt) =>
          keys.map((key) => verdict(receipt, key)),
        ),
      ),
    ).toEqual([0, 1, 0, 0, 1, 0]);
    expect((await folder.json(0, 'audit', 'fsck'))[0]).toMatchObject({ size: 4, findings: 0 });
    // Somebody who knows only the old key.
    const stranger = await folder.run('audit', 'fsck', LEDGER, '--key', String(old?.['key']));
    expect([stranger.code, stranger.err]).toEqual([
      0,
      expect.stringContaining(String(rotated[0]?.['key'])),
    ]);
    await folder.json(0, 'audit', 'key', 'rotate');
    expect((await folder.run('audit', 'fsck', LEDGER, '--key', String(old?.['key']))).code).toBe(0);
    expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
    expect((await folder.run('doctor')).code).toBe(0);
  });

  it('is changed completely if an interrupted change is repeated', async () => {
    const folder = await routed();
    for (let kill = 0; kill < 6; kill += 1) {
      const child = folder.spawn(['audit', 'key', 'rotate']);
      const timer = setTimeout(() => child.kill('SIGKILL'), 250 + kill * 60);
      await finished(child);
      clearTimeout(timer);
      await publishSamples(folder, `more-${kill}`);
      await folder.json(0, 'route', '--once');
    }
    await folder.json(0, 'audit', 'key', 'rotate');
    expect(
      (await readFile(join(folder.path, DATA, 'ledger-key'), 'utf8')).match(/^PRIVATE/gm),
    ).toHaveLength(1);
    expect((await folder.json(0, 'audit', 'fsck'))[0]).toMatchObject({ size: 9, findings: 0 });
  });
});

describe('what is lost alone', () => {
  it.each<[string, string, string]>([
    ['log.db', 'LOG_LOST', 'route --once'],
    ['residency.json', 'NOT_A_DATA_DIRECTORY', 'route --once'],
    ['keys/zurich', 'NO_SEALING_KEY', 'route --once'],
    ['keys/zurich', 'SEALING_KEYS_LOST', 'policy publish next.json'],
    ['sites/zrh-2', 'SITE_NOT_CONFIGURED', 'route --once'],
    ['sites/zrh-2', 'SITE_MARKER_MISSING', 'policy publish next.json'],
  ])('(%s) is named (%s) and not made anew by %s', async (name, code, command) => {
    const folder = await routed();
    const policy = JSON.parse(
      await readFile(new URL('../../../policy/residency-1.json', import.meta.url), 'utf8'),
    ) as object;
    await writeFile(
      join(folder.path, 'next.json'),
      JSON.stringify({ ...policy, version: 2, effectiveFrom: '2099-01-01T00:00:00Z' }),
    );
    await rm(join(folder.path, DATA, name), { recursive: true });
    expect((await folder.run(...command.split(' '))).err).toContain(code);
    await expect(readFile(join(folder.path, DATA, name))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('the log, with sites and keys only beside it, is not made anew either', async () => {
    const folder = await routed();
    const registers = (await readdir(join(folder.path, DATA))).filter((name) =>
      name.startsWith('register-'),
    );
    for (const name of [
      'log.db',
      'residency.json',
      'ledger',
      'ledger-key',
      'routing.lock',
      ...registers,
    ])
      await rm(join(folder.path, DATA, name), { recursive: true });
    expect((await folder.run('route', '--once')).err).toContain('LOG_LOST');
  });

  it("the log, with another directory's in its place, is named", async () => {
    const [folder, other] = [await routed(), await temporaryFolder()];
    await other.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
    for (const name of ['log.db', 'log.db-wal', 'log.db-shm'])
      await rm(join(folder.path, DATA, name), { force: true });
    await cp(join(other.path, DATA, 'log.db'), join(folder.path, DATA, 'log.db'));
    expect((await folder.run('route', '--once')).err).toContain('LOG_LOST');
  });

  it('the ledger is made again from the log, and is the same', async () => {
    const folder = await routed();
    const before = await readFile(join(folder.path, LEDGER, 'checkpoint'));
    await rm(join(folder.path, DATA, 'ledger'), { recursive: true });
    await folder.json(0, 'route', '--once');
    expect(await readFile(join(folder.path, LEDGER, 'checkpoint'))).toEqual(before);
  });

  it('what was kept apart is kept again, and that is said', async () => {
    const folder = await routed();
    await rm(folder.checkpoints, { recursive: true });
    expect((await folder.run('doctor')).out).toMatch(/unknown +kept checkpoint/);
    await publishSamples(folder, 'four');
    expect((await folder.run('route', '--once')).err).toContain(
      'No checkpoint of the ledger was kept apart',
    );
    expect((await folder.run('doctor')).code).toBe(0);
  });
});

it('a place in the data directory is refused: it would be restored with it', async () => {
  const folder = await routed();
  const { code, err } = await folder.run('route', '--once', '--checkpoints', `${DATA}/kept`);
  expect([code, err]).toEqual([2, expect.stringContaining('CHECKPOINTS_UNUSABLE')]);
});
