import { appendFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AccessJournal } from '../src/vault/access-journal.ts';
import type { JournalTerms, SavedFile } from '../src/vault/access-journal.ts';
import { DurableLines } from '../src/vault/durable-lines.ts';
import { SampleFolder } from '../src/vault/sample-folder.ts';

const TERMS: JournalTerms = { purpose: 'detection', form: 'zip', reference: 'CASE-1' };
const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)];
const FILE = `${'a'.repeat(64)}.zip`;
const SAVED: SavedFile = { file: FILE, bytes: 7, form: 'zip' };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-journal-'));
  path = join(folder, 'journal');
});
afterEach(() => rm(folder, { recursive: true }));

async function opened<T>(terms: JournalTerms, work: (of: AccessJournal) => Promise<T>): Promise<T> {
  const journal = await AccessJournal.open(path, terms);
  try {
    return await work(journal);
  } finally {
    await journal.close();
  }
}

it('an id is found again for the same terms, and for no others; the reference is not in the file', async () => {
  await opened(TERMS, async (journal) => {
    await Promise.all([journal.keepAccess(ONE, 'id-1'), journal.keepAccess(TWO, 'id-2')]);
    await journal.keepSaved(TWO, 'id-2', SAVED);
  });
  await opened(TERMS, async (journal) => {
    expect(journal.find(ONE)).toEqual({ access: 'id-1' });
    expect(journal.find(TWO)).toEqual({ access: 'id-2', saved: SAVED });
  });
  for (const other of [
    { ...TERMS, purpose: 'other' },
    { ...TERMS, form: 'cart' as const },
    { ...TERMS, reference: 'CASE-2' },
    { ...TERMS, region: 'zurich' },
  ])
    await opened(other, async (journal) => {
      expect([journal.find(ONE), journal.find(TWO)]).toEqual([undefined, undefined]);
      expect(journal.fileOf(FILE)).toEqual(SAVED);
    });
  expect(await readFile(path, 'utf8')).not.toContain('CASE');
});

it('the later line counts, and a last line that was torn at any byte does not', async () => {
  await opened(TERMS, async (journal) => {
    await journal.keepAccess(ONE, 'id-1');
    await journal.keepSaved(ONE, 'id-1', SAVED);
    await journal.keepNotSaved(ONE, 'id-1', FILE);
    await journal.keepAccess(TWO, 'id-2');
    await journal.keepAccess(ONE, 'id-3');
  });
  const whole = await readFile(path);
  const last = whole.lastIndexOf('\n', whole.length - 2) + 1;
  for (let end = last; end <= whole.length; end += 1) {
    await writeFile(path, whole.subarray(0, end));
    const found = await opened(TERMS, async (journal) => journal.find(ONE));
    expect([end, found]).toEqual([end, { access: end === whole.length ? 'id-3' : 'id-1' }]);
  }
  await writeFile(path, whole.subarray(0, 10));
  expect(await opened(TERMS, async (journal) => journal.find(TWO))).toBe(undefined);
});

it.each(['{"other":"file"}\n', 'text\n', 'text', 'x'.repeat(100_000)])(
  'what is no journal is neither used nor changed (%#)',
  async (content) => {
    await writeFile(path, content);
    await expect(AccessJournal.open(path, TERMS)).rejects.toMatchObject({
      code: 'JOURNAL_UNREADABLE',
    });
    expect(await readFile(path, 'utf8')).toBe(content);
  },
);

it('a line that is none of ours is not passed over', async () => {
  await opened(TERMS, (journal) => journal.keepAccess(ONE, 'id-1'));
  await appendFile(path, '{"access":7}\n');
  await expect(AccessJournal.open(path, TERMS)).rejects.toMatchObject({
    code: 'JOURNAL_UNREADABLE',
  });
});

it('many lines at once are few writes, and a journal of many is read in time in proportion', async () => {
  const ids = Array.from({ length: 100_000 }, (_, at) => at.toString(16).padStart(64, '0'));
  await opened(TERMS, async (journal) => {
    await Promise.all(ids.map((id) => journal.keepAccess(id, `id-${id}`)));
  });
  await opened(TERMS, async (journal) => {
    for (const id of ids) expect(journal.find(id)?.access).toBe(`id-${id}`);
  });
});

it('no line follows one whose write failed', async () => {
  const file = await open(path, 'a');
  vi.spyOn(file, 'appendFile').mockRejectedValueOnce(new Error('full'));
  const lines = new DurableLines(file);
  await expect(lines.append('one')).rejects.toThrow('full');
  await expect(lines.append('two')).rejects.toThrow('full');
  await expect(lines.settled()).rejects.toThrow('full');
  await file.close();
  expect(await readFile(path, 'utf8')).toBe('');
});

it('one command at a time uses a folder, and removes what a killed one left unfinished', async () => {
  const out = join(folder, 'out');
  const first = await SampleFolder.open(out, TERMS);
  await expect(SampleFolder.open(out, TERMS)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' });
  await first.close();
  const part = join(out, '.residency-0f8fad5b-d9cb-469f-a165-70867728950e.part');
  await writeFile(part, 'half');
  await (await SampleFolder.open(out, TERMS)).close();
  await expect(readFile(part)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('two submissions with one sample are one file, also if it is packed anew, and nothing is overwritten', async () => {
  const out = join(folder, 'out');
  const packed = (method: number, text: string): Buffer =>
    Buffer.from([...Buffer.from('PK\u0003\u0004'), 51, 0, 1, 0, method, 0, ...Buffer.from(text)]);
  const [aes, zipCrypto] = [packed(99, 'packed'), packed(8, 'otherwise')];
  let opening = await SampleFolder.open(out, TERMS);
  const save = (key: string, bytes: Buffer) =>
    opening.save(key, `id-${key}`, { fileName: FILE, bytes });
  const present = { state: 'present', file: FILE, bytes: aes.length };
  expect(await Promise.all([save(ONE, aes), save(TWO, packed(99, 'packed anew'))])).toEqual([
    { ...present, state: 'saved' },
    present,
  ]);
  // The other form of the name takes it neither away nor makes it another's.
  const other = '3'.repeat(64);
  const taken = { state: 'taken', file: FILE };
  expect([await save(other, zipCrypto), opening.journal.find(other)]).toEqual([taken, undefined]);
  expect(await save(TWO, packed(99, 'packed once more'))).toEqual(present);
  await opening.close();
  // Of an access that was asked for elsewhere, only the bytes tell the form.
  opening = await SampleFolder.open(out);
  expect(await save('id-3', zipCrypto)).toEqual(taken);
  expect(await save('id-4', packed(99, 'anew'))).toEqual(present);
  await opening.close();
  expect(await readFile(join(out, FILE))).toEqual(aes);
});
