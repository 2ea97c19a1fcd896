import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openEmbeddedSystem } from '../src/embedded/embedded-system.ts';
import { place } from '../src/erasure/place-hold.ts';
import { Output } from '../src/terminal/output.ts';
import { finished, makeFolder, publishSamples, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';

const REASON = ['--reason', 'request 4711'];

/** As the log has it. */
const LINK = Buffer.from(
  JSON.stringify({ consentId: 'consent-0001', subject: 'CANARY-S' }),
).toString('base64');

/** Samples of `consent-0001`, which a subject gave and withdrew, in Zurich. */
async function withdrawn(folder: Folder, ...names: readonly string[]): Promise<readonly string[]> {
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'CANARY-S');
  await publishSamples(folder, ...names);
  await folder.run('route', '--once');
  await folder.json(0, 'consent', 'withdraw', '--consent', 'consent-0001');
  const stored = await folder.json(0, 'sample', 'list', '--region', 'zurich');
  return stored.map(({ submission }) => String(submission));
}

const control = async (folder: Folder): Promise<string> =>
  (await folder.run('audit', 'list', '--control')).out;

/** The digest of the plan of these arguments. */
async function digestOf(folder: Folder, ...args: readonly string[]): Promise<string> {
  return String((await folder.json(0, 'erase', ...args, ...REASON)).at(-1)?.['digest']);
}

describe('a plan', () => {
  let folder: Folder;
  let submissions: readonly string[];
  beforeAll(async () => {
    folder = await makeFolder();
    submissions = await withdrawn(folder, 'a', 'b', 'c');
  });
  afterAll(() => folder.remove());

  it('counts stored samples and copies, has a digest, and changes nothing', async () => {
    const before = await control(folder);
    const plan = await folder.json(0, 'erase', '--consent', 'consent-0001', ...REASON);
    expect(plan).toEqual([
      {
        region: 'zurich',
        stored: 3,
        copies: { 'zrh-1': 3, 'zrh-2': 3 },
        kept: {},
        keptByRetired: {},
        held: 0,
        erased: 0,
      },
      { digest: expect.stringMatching(/^[0-9a-f]{64}$/), stored: 3 },
    ]);
    const { code, out } = await folder.run('erase', '--consent', 'consent-0001', ...REASON);
    expect([code, out]).toEqual([0, expect.stringContaining('zrh-1 3, zrh-2 3')]);
    expect(out).toContain(`--yes ${String(plan[1]?.['digest'])}`);
    expect(await control(folder)).toBe(before);
  });

  it('is one plan, however the submissions are named', async () => {
    const [first = '', second = ''] = submissions;
    await writeFile(join(folder.path, 'list'), `${second}\n\n${first}\n${second}\n`);
    const named = await digestOf(folder, '--submission', first, second);
    expect(await digestOf(folder, '--from', 'list')).toBe(named);
    expect(await digestOf(folder, '--submission', first)).not.toBe(named);
  });

  it('is about one region, if it is named', async () => {
    const named = ['--submission', ...submissions.slice(0, 2)];
    const zurich = await digestOf(folder, ...named, '--region', 'zurich');
    expect(zurich).not.toBe(await digestOf(folder, ...named));
    const { code, err } = await folder.run('erase', ...named, '--region', 'moscow', ...REASON);
    expect([code, err]).toEqual([1, expect.stringContaining('in region moscow')]);
  });

  it('names copies in sites out of service, and what is on hold', async () => {
    const other = await temporaryFolder();
    const [first = ''] = await withdrawn(other, 'a', 'b');
    await other.json(0, 'hold', 'place', '--submission', first, ...REASON);
    await other.json(0, 'site', 'out', 'zrh-2', '--reason', 'away');
    expect((await other.json(0, 'erase', '--consent', 'consent-0001', ...REASON))[0]).toMatchObject(
      {
        held: 1,
        kept: { 'zrh-2': 2 },
      },
    );
    await other.json(0, 'site', 'retire', 'zrh-2', ...REASON);
    const args = ['erase', '--consent', 'consent-0001', ...REASON];
    expect((await other.json(0, ...args))[0]).toMatchObject({
      kept: {},
      keptByRetired: { 'zrh-2': 2 },
    });
    expect((await other.run(...args)).out).toContain('until its bucket or folder is deleted');
  });

  it.each([
    ['a submission that nobody stored', ['--submission', 'a'.repeat(64)], 1, 'SUBMISSION_UNKNOWN'],
    ['a consent that nobody gave', ['--consent', 'consent-0009'], 1, 'CONSENT_UNKNOWN'],
    ['a subject without a link', ['--subject', 'CANARY-T'], 1, 'SUBJECT_UNKNOWN'],
    ['no name', [], 2, 'found none'],
    ['two kinds of names', ['--from', 'list', '--consent', 'consent-0001'], 2, 'found 2'],
    ['a name that is none', ['--submission', 'abc'], 2, '64 lower-case hex'],
    ['a list with another line', ['--from', 'a'], 2, 'line 1'],
  ] as const)('is refused for %s', async (_, args, code, text) => {
    const before = await control(folder);
    for (const yes of [[], ['--yes', '0'.repeat(64)]]) {
      const ended = await folder.run('erase', ...args, ...REASON, ...yes);
      expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(text)]);
      expect(ended.out + ended.err).not.toContain('CANARY');
    }
    expect(await control(folder)).toBe(before);
  });

  it('is not ordered with the digest of another one, or with a reason that names the subject', async () => {
    const before = await control(folder);
    const args = ['erase', '--subject', 'CANARY-S'];
    const ended = await folder.run(...args, ...REASON, '--yes', '0'.repeat(64));
    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining('PLAN_CHANGED')]);
    expect((await folder.run(...args, '--reason', 'of CANARY-S')).code).toBe(2);
    expect((await folder.run(...args, '--reason', '')).code).toBe(2);
    expect(await control(folder)).toBe(before);
  });

  it('is refused while a consent is in force', async () => {
    const other = await temporaryFolder();
    await other.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
    const { code, err } = await other.run('erase', '--consent', 'consent-0001', ...REASON);
    expect([code, err]).toEqual([1, expect.stringContaining('CONSENT_NOT_WITHDRAWN')]);
    expect(err).toContain('residency consent withdraw --consent consent-0001');
  });
});

/** Whether the bytes stand in any file of the log. */
async function inLog(folder: Folder, bytes: string): Promise<boolean> {
  const data = join(folder.path, '.residency');
  const files = (await readdir(data)).filter((name) => name.startsWith('log.db'));
  const contents = await Promise.all(files.map((name) => readFile(join(data, name))));
  return contents.some((content) => content.includes(bytes));
}

describe('an order', () => {
  it('is recorded once; the custodian drops the intake copies with the samples, but what is on hold', async () => {
    const folder = await temporaryFolder();
    const [, second = ''] = await withdrawn(folder, 'a', 'b');
    await folder.json(0, 'hold', 'place', '--submission', second, ...REASON);
    const args = ['--subject', 'CANARY-S'];
    const digest = await digestOf(folder, ...args);
    expect(await inLog(folder, 'sample a')).toBe(true);
    const yes = ['erase', ...args, ...REASON, '--yes', digest, '--no-wait'];
    const [ordered] = await folder.json(0, ...yes);
    expect(ordered).toEqual({ order: expect.any(String), named: 1 });
    expect(await inLog(folder, 'sample a')).toBe(true);
    await folder.run('route', '--once');
    expect(await inLog(folder, 'sample a')).toBe(false);
    expect(await inLog(folder, 'sample b')).toBe(true);
    const after = await control(folder);
    expect(after).toContain('residency.erasure.ordered.v1');
    expect(after).not.toContain('CANARY');
    // The link stays until all is erased.
    const again = await folder.run(...yes);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining('ordered before')]);
    expect(again.err).toContain('links');
    expect(await control(folder)).toBe(after);
    expect(await inLog(folder, LINK)).toBe(true);
  });

  it('about a consent ends at its withdrawal, and a later withdrawal is ordered anew', async () => {
    const folder = await temporaryFolder();
    await withdrawn(folder, 'a');
    const args = ['--consent', 'consent-0001'];
    const ordered = async (): Promise<readonly Row[]> => {
      const digest = await digestOf(folder, ...args);
      return await folder.json(0, 'erase', ...args, ...REASON, '--yes', digest, '--no-wait');
    };
    expect(await ordered()).toHaveLength(1);
    expect(await ordered()).toEqual([]);
    await folder.run('route', '--once');
    await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
    await publishSamples(folder, 'b');
    await folder.json(0, 'consent', 'withdraw', '--consent', 'consent-0001');
    // The sample still waits.
    expect(await ordered()).toHaveLength(1);
    expect(await ordered()).toEqual([]);
    await folder.run('route', '--once');
    expect(await folder.json(0, 'sample', 'list', '--region', 'zurich')).toEqual([
      expect.objectContaining({ sites: [], erased: expect.anything() }),
      expect.objectContaining({ sites: [], erased: expect.anything() }),
    ]);
    const [shown] = await folder.json(0, 'consent', 'show', ...args);
    const intervals = shown?.['intervals'] as readonly { readonly until: string }[];
    const events = await folder.json(0, 'audit', 'list', '--control');
    expect(
      events
        .filter(({ type }) => type === 'residency.erasure.ordered.v1')
        .map(({ data }) => (data as { readonly consents: unknown }).consents),
    ).toEqual(intervals.map(({ until }) => [{ consentId: 'consent-0001', before: until }]));
  });

  it('of which something is on hold ends with 1', async () => {
    const folder = await temporaryFolder();
    const [first = ''] = await withdrawn(folder, 'a');
    await folder.json(0, 'hold', 'place', '--submission', first, ...REASON);
    const args = ['--submission', first];
    const yes = ['erase', ...args, ...REASON, '--yes', await digestOf(folder, ...args)];
    const ended = await folder.run(...yes);
    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining('ON_HOLD')]);
    expect(ended.out).toContain('Erased: 0 samples. On hold: 1.');
    expect(await folder.json(1, ...yes)).toEqual([{ erased: 0, held: 1 }]);
  });
});

it('an order that is interrupted stands, and one whose samples have changed is not made', async () => {
  const folder = await temporaryFolder();
  await withdrawn(folder, 'a');
  const args = ['--consent', 'consent-0001'];
  const digest = await digestOf(folder, ...args);
  const command = folder.spawn(['erase', ...args, ...REASON, '--yes', digest]);
  const ended = finished(command);
  await expect.poll(() => control(folder)).toContain('residency.erasure.ordered.v1');
  command.kill('SIGINT');
  const { code, err } = await ended;
  expect([code, err]).toEqual([130, expect.stringContaining('The order stands')]);
  const before = await control(folder);
  await withdrawn(folder, 'b');
  const changed = await folder.run('erase', ...args, ...REASON, '--yes', digest);
  expect([changed.code, changed.err]).toEqual([1, expect.stringContaining('PLAN_CHANGED')]);
  expect(await control(folder)).toBe(before);
});

describe('a hold', () => {
  it('is listed with who placed and lifted it, and is lifted once', async () => {
    const folder = await temporaryFolder();
    await withdrawn(folder, 'a');
    const env = { RESIDENCY_PRINCIPAL: 'ana' };
    const placing = ['hold', 'place', '--consent', 'consent-0001', ...REASON, '--json'];
    const placed = await folder.runWith(env, ...placing);
    const { hold } = JSON.parse(placed.out) as { readonly hold: string };
    expect(await folder.json(0, 'hold', 'list')).toEqual([
      expect.objectContaining({
        hold,
        by: 'ana',
        reason: 'request 4711',
        consents: ['consent-0001'],
      }),
    ]);
    expect((await folder.run('hold', 'list')).out).toMatch(/1 consent +open +request 4711/);
    await folder.json(0, 'hold', 'lift', hold, '--reason', 'over');
    const before = await control(folder);
    for (const [act, code, text] of [
      [hold, 1, 'HOLD_LIFTED_ALREADY'],
      ['3f0c2c51-9d0b-4c7e-8a25-6b1f0f1f9a10', 1, 'HOLD_UNKNOWN'],
      ['another', 2, 'a UUID'],
    ] as const) {
      const ended = await folder.run('hold', 'lift', act, '--reason', 'over');
      expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(text)]);
    }
    expect(await control(folder)).toBe(before);
    expect(await folder.json(0, 'hold', 'list')).toEqual([
      expect.objectContaining({ liftedAt: expect.any(String), liftedBecause: 'over' }),
    ]);
  });

  it('says what was erased before it was recorded', async () => {
    const folder = await temporaryFolder();
    const submissions = await withdrawn(folder, 'a', 'b');
    const args = ['--consent', 'consent-0001'];
    const digest = await digestOf(folder, ...args);
    await folder.json(0, 'erase', ...args, ...REASON, '--yes', digest, '--no-wait');
    const system = await openEmbeddedSystem(join(folder.path, '.residency'), folder.checkpoints);
    onTestFinished(() => system.close());
    const append = system.append.bind(system);
    vi.spyOn(system, 'append').mockImplementation(async (entries) => {
      await folder.run('route', '--once');
      return await append(entries);
    });
    const [out, err] = [new PassThrough(), new PassThrough()];
    const session = {
      output: new Output(out, err),
      env: {},
      signal: new AbortController().signal,
      now: Date.now,
      abandonIn: () => undefined,
    };
    await place(session, system, { named: { submissions }, reason: 'case 4711', json: false });
    err.end();
    expect(await text(err)).toContain('2 samples of them had been erased already');
  });

  it('needs something to hold', async () => {
    const folder = await temporaryFolder();
    await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
    for (const [args, code] of [
      [['--submission', 'a'.repeat(64)], 1],
      [['--consent', 'consent-0002'], 1],
      [[], 2],
    ] as const)
      expect((await folder.run('hold', 'place', ...args, ...REASON)).code).toBe(code);
    expect((await folder.run('hold', 'list')).err).toContain('no hold');
  });
});
