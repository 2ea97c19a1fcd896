import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

// Reads a data directory without code of the product: SQL, JSON and directory listings.

export interface IntakeRow {
  readonly partition: number;
  readonly offset: number;
  /** Append time, milliseconds since the epoch. */
  readonly at: number;
  readonly headers: ReadonlyMap<string, Buffer>;
  readonly value: Buffer | null;
}

export interface AuditRow {
  readonly id: string;
  /** The intake record's. */
  readonly partition: number;
  readonly offset: number;
  readonly at: number;
  readonly outcome: string;
  readonly data: Readonly<Record<string, unknown>> & {
    readonly previous: string | null;
    readonly submission?: string;
    readonly reason?: string;
    readonly of?: string;
  };
  readonly bytes: Buffer;
}

export interface LogRows {
  readonly name: string;
  readonly intake: readonly IntakeRow[];
  readonly audit: readonly AuditRow[];
  readonly quarantine: readonly Buffer[];
  readonly settled: number | null;
}

interface Row {
  readonly offset: number;
  readonly at: number;
  readonly headers: string;
  readonly value: Uint8Array | null;
}

function readDatabase<T>(directory: string, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(directory, 'log.db'), { readOnly: true, timeout: 10_000 });
  try {
    db.exec('BEGIN');
    return read(db);
  } finally {
    db.close();
  }
}

function rowsOf(db: DatabaseSync, topic: string): Row[] {
  return db
    .prepare(
      'SELECT r."offset", r.at, r.headers, r.value FROM record r JOIN topic t ON t.id = r.topic WHERE t.name = ? ORDER BY r."offset"',
    )
    .all(topic) as unknown as Row[];
}

/** The values of a topic with their append times. */
export function readValues(
  directory: string,
  topic: string,
): readonly { readonly at: number; readonly value: Uint8Array | null }[] {
  return readDatabase(directory, (db) => rowsOf(db, topic));
}

/** The number of intake records that are not settled. */
export function waitingOnDisk(directory: string): number {
  return readDatabase(directory, (db) => {
    const row = db
      .prepare(
        `SELECT count(*) AS waiting FROM record r JOIN topic t ON t.id = r.topic WHERE t.name = 'threat.samples' AND r."offset" > coalesce(t.settled, -1)`,
      )
      .get() as { readonly waiting: number };
    return row.waiting;
  });
}

export function readLog(directory: string): LogRows {
  return readDatabase(directory, (db) => {
    const rows = (topic: string): Row[] => rowsOf(db, topic);
    const meta = db.prepare('SELECT name FROM meta').get() as { readonly name: string };
    const progress = db
      .prepare("SELECT settled FROM topic WHERE name = 'threat.samples'")
      .get() as { readonly settled: number | null };
    return {
      name: meta.name,
      settled: progress.settled,
      intake: rows('threat.samples').map(({ offset, at, headers, value }) => ({
        partition: 0,
        offset,
        at,
        headers: headersOf(headers),
        value: value === null ? null : Buffer.from(value),
      })),
      audit: rows('residency.audit').map(({ value }) => auditRow(Buffer.from(value ?? []))),
      quarantine: rows('threat.samples.quarantine').map(({ value }) => Buffer.from(value ?? [])),
    };
  });
}

function headersOf(text: string): ReadonlyMap<string, Buffer> {
  return new Map(
    (JSON.parse(text) as [string, string][]).map(([name, content]) => [
      name,
      Buffer.from(content, 'base64'),
    ]),
  );
}

export function auditRow(bytes: Buffer): AuditRow {
  const { id, time, type, data } = JSON.parse(bytes.toString('utf8')) as {
    readonly id: string;
    readonly time: string;
    readonly type: string;
    readonly data: AuditRow['data'];
  };
  const [partition, offset] = id.split('/').slice(-2).map(Number);
  return {
    id,
    partition: partition ?? NaN,
    offset: offset ?? NaN,
    at: Date.parse(time),
    outcome: type.split('.')[2] ?? '',
    data,
    bytes,
  };
}

export interface ObjectOnDisk {
  readonly site: string;
  /** The file's name. */
  readonly submission: string;
  readonly path: string;
  /** Where the format puts it (docs/formats/object.md). */
  readonly lawfulPath: string;
  readonly sha256: string;
}

export interface SitesOnDisk {
  readonly objects: readonly ObjectOnDisk[];
  /** Leftovers of attempts, by path. */
  readonly temporaries: readonly string[];
}

export async function walkSites(directory: string): Promise<SitesOnDisk> {
  const objects: ObjectOnDisk[] = [];
  const temporaries: string[] = [];
  for (const site of await readdir(join(directory, 'sites'))) {
    const root = join(directory, 'sites', site);
    temporaries.push(...(await files(join(root, 'tmp'))));
    objects.push(...(await objectsUnder(site, root, (id) => `samples/${id.slice(0, 1)}/${id}`)));
  }
  return { objects, temporaries };
}

/** The files under `samples/` in a site's folder. */
export async function objectsUnder(
  site: string,
  root: string,
  lawfulPath: (submission: string) => string,
): Promise<readonly ObjectOnDisk[]> {
  const objects: ObjectOnDisk[] = [];
  // A bucket that never had a sample has no such folder.
  if (!(await readdir(root)).includes('samples')) return objects;
  for (const path of await files(join(root, 'samples'))) {
    const submission = path.split('/').at(-1) ?? '';
    objects.push({
      site,
      submission,
      path: path.slice(root.length + 1),
      lawfulPath: lawfulPath(submission),
      sha256: sha256(await readFile(path)),
    });
  }
  return objects;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function files(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
