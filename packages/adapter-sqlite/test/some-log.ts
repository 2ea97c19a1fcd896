import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { encodeKafkaStructured } from '@residency/cloudevents';
import type { ConsentEvent } from '@residency/consent';
import { POLICY_PUBLISHED, TOPICS, consentCloudEvent } from '@residency/contracts';
import type { NewRecord, Topic } from '@residency/contracts';
import type { PolicyDocument } from '@residency/residency';
import { SALT } from '@residency/testkit';
import { openSqliteLog } from '../src/sqlite-log.ts';
import type { SqliteLog, SqliteLogOptions } from '../src/sqlite-log.ts';

/** A log in a folder of its own; `close` takes both away. */
export interface SomeLog {
  readonly log: SqliteLog;
  readonly file: string;
  readonly folder: string;
  readonly close: () => Promise<void>;
}

export async function someLog(options: Partial<SqliteLogOptions> = {}): Promise<SomeLog> {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-log-'));
  const file = join(folder, 'log.db');
  const log = await openSqliteLog({ file, now: () => Date.now(), ...options });
  return {
    log,
    file,
    folder,
    close: async () => {
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function text(content: string): NewRecord {
  return { key: null, headers: [], value: Buffer.from(content) };
}

/**
 * The append time the log gave: it is not in the answer to a publisher, the log itself is asked.
 */
export async function appendOne(log: SqliteLog, topic: Topic, record: NewRecord): Promise<number> {
  const [position] = await log.append([{ topic, record }]);
  const found = position && (await log.readAt(position));
  if (found === undefined) throw new Error('Expected the record just appended.');
  return found.at;
}

export function consentRecord(event: ConsentEvent): NewRecord {
  const id = randomUUID();
  return {
    key: Buffer.from(`${event.consentId}/${id}`),
    ...encodeKafkaStructured({
      ...consentCloudEvent(event, { id, source: 'urn:test' }),
      extensions: { salt: SALT },
    }),
  };
}

export function policyRecord(document: PolicyDocument): NewRecord {
  const event = encodeKafkaStructured({
    specversion: '1.0',
    id: `${document.id}/${document.version}`,
    source: 'urn:test',
    type: POLICY_PUBLISHED,
    datacontenttype: 'application/json',
    extensions: {},
    data: Buffer.from(JSON.stringify(document)),
  });
  return { key: Buffer.from(`${document.id}/${document.version}`), ...event };
}

export async function publishSamples(log: SqliteLog, contents: readonly string[]): Promise<void> {
  await log.append(contents.map((content) => ({ topic: TOPICS.samples, record: text(content) })));
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(values);
}

/** How many transactions `work` commits to a log's file: each is one wait for the disk. */
export async function commitsOf(file: string, work: () => Promise<unknown>): Promise<number> {
  const reader = new DatabaseSync(file);
  try {
    // While it reads an older state, no part of the write-ahead log is written again.
    reader.exec('BEGIN; SELECT count(*) FROM record');
    const before = commitFrames(await readFile(`${file}-wal`));
    await work();
    return commitFrames(await readFile(`${file}-wal`)) - before;
  } finally {
    reader.close();
  }
}

/** Frames that end a transaction (https://sqlite.org/fileformat2.html#walformat). */
function commitFrames(wal: Buffer): number {
  const [pageSize, salts] = [wal.readUInt32BE(8), wal.subarray(16, 24)];
  let commits = 0;
  for (let at = 32; at + 24 <= wal.length; at += 24 + pageSize)
    if (wal.readUInt32BE(at + 4) !== 0 && salts.equals(wal.subarray(at + 8, at + 16))) commits += 1;
  return commits;
}

export function never(): AbortSignal {
  return new AbortController().signal;
}
