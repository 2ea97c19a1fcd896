import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TOPICS } from '@residency/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../src/schema.ts';
import { openSqliteLog } from '../src/sqlite-log.ts';
import { publishSamples, someLog } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

let some: SomeLog;
beforeEach(async () => {
  some = await someLog();
});
afterEach(async () => {
  await some.close();
});

const now = (): number => Date.now();

describe('opening a log', () => {
  it('refuses one that a newer release wrote, and leaves it as it is', async () => {
    await some.log.close();
    const db = new DatabaseSync(some.file);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    await expect(openSqliteLog({ file: some.file, now })).rejects.toMatchObject({
      code: 'LOG_SCHEMA_NEWER',
      remedy: 'stop',
    });
    const after = new DatabaseSync(some.file);
    expect(after.prepare('PRAGMA user_version').get()).toEqual({
      user_version: SCHEMA_VERSION + 1,
    });
    after.close();
  });

  it('makes one log when several open a new file at once', async () => {
    const file = join(some.folder, 'new.db');
    const logs = await Promise.all(
      Array.from({ length: 6 }, async () => await openSqliteLog({ file, now })),
    );
    expect(new Set(logs.map(({ name }) => name)).size).toBe(1);
    await Promise.all(
      logs.map(async (log) => {
        await publishSamples(log, ['x']);
      }),
    );
    expect(await logs[0]?.end(TOPICS.samples)).toBe(6n);
    await Promise.all(
      logs.map(async (log) => {
        await log.close();
      }),
    );
  });

  it('refuses a file that is no database, and a folder that is not there', async () => {
    const file = join(some.folder, 'text.db');
    await writeFile(file, 'this is no database, however long one looks at it. '.repeat(50));
    await expect(openSqliteLog({ file, now })).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      remedy: 'stop',
    });
    await expect(
      openSqliteLog({ file: join(some.folder, 'missing', 'log.db'), now }),
    ).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE', remedy: 'stop' });
  });

  it('keeps the file, which holds plain samples, to its owner', async () => {
    await publishSamples(some.log, ['x']);
    const modes = await Promise.all(
      [some.file, `${some.file}-wal`].map(async (file) => (await stat(file)).mode & 0o777),
    );
    expect(modes).toEqual([0o600, 0o600]);
  });

  it('waits for the disk at every commit', async () => {
    const { openDatabase } = await import('../src/schema.ts');
    const db = openDatabase(some.file, 1_000);
    // 2 = FULL, https://www.sqlite.org/pragma.html#pragma_synchronous
    expect([
      db.get('PRAGMA synchronous'),
      db.get('PRAGMA journal_mode'),
      db.get('PRAGMA secure_delete'),
    ]).toEqual([{ synchronous: 2 }, { journal_mode: 'wal' }, { secure_delete: 1 }]);
    db.close();
  });
});
