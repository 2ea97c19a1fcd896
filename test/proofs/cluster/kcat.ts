import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A record in kcat's output. */
export interface KcatRow {
  readonly partition: number;
  readonly offset: number;
  /** Append time, milliseconds since the epoch. */
  readonly at: number;
  readonly key: Buffer | null;
  /** By name; for values without a comma or a line break. */
  readonly headers: ReadonlyMap<string, Buffer>;
  readonly value: Buffer | null;
}

// Lengths first, -1 for null, so that any bytes may follow.
const FORMAT = '%p %o %T %K %S %h\\n%k%s';

/**
 * Reads a topic to its end, committed records only, in log order within each partition, with
 * librdkafka and no code of this system.
 */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
): Promise<readonly KcatRow[]> {
  return rowsOf(
    await kcat(...consuming(brokers, topic), '-X', 'isolation.level=read_committed', '-f', FORMAT),
  );
}

/** The number of records in a topic, aborted ones included. */
export async function countAll(brokers: readonly string[], topic: string): Promise<number> {
  return (
    await kcat(...consuming(brokers, topic), '-X', 'isolation.level=read_uncommitted', '-f', '.')
  ).length;
}

function consuming(brokers: readonly string[], topic: string): readonly string[] {
  return ['-C', '-b', brokers.join(','), '-t', topic, '-o', 'beginning', '-e', '-q'];
}

/** Partitions with too few in-sync replicas. */
export async function behind(brokers: readonly string[]): Promise<number> {
  const { topics } = JSON.parse(
    (await kcat('-L', '-J', '-b', brokers.join(','))).toString('utf8'),
  ) as Metadata;
  return topics
    .flatMap(({ partitions }) => partitions)
    .filter(({ replicas, isrs }) => isrs.length < replicas.length).length;
}

interface Metadata {
  readonly topics: readonly {
    readonly partitions: readonly {
      readonly replicas: readonly unknown[];
      readonly isrs: readonly unknown[];
    }[];
  }[];
}

async function kcat(...args: readonly string[]): Promise<Buffer> {
  const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, complaints]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => {
    output.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaints.push(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new Error(
      `Expected kcat to end with 0, found ${String(code)}: ${Buffer.concat(complaints).toString('utf8').slice(-2_000)}`,
    );
  return Buffer.concat(output);
}

function rowsOf(bytes: Buffer): readonly KcatRow[] {
  const rows: KcatRow[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    const [partition = '', offset = '', time = '', keyLength = '', valueLength = '', ...headers] =
      bytes.toString('utf8', at, end).split(' ');
    const [key, afterKey] = part(bytes, end + 1, Number(keyLength));
    const [value, afterValue] = part(bytes, afterKey, Number(valueLength));
    rows.push({
      partition: Number(partition),
      offset: Number(offset),
      at: Number(time),
      key,
      headers: headersOf(headers.join(' ')),
      value,
    });
    at = afterValue;
  }
  return rows;
}

function part(bytes: Buffer, from: number, length: number): [Buffer | null, number] {
  return length < 0 ? [null, from] : [bytes.subarray(from, from + length), from + length];
}

function headersOf(text: string): KcatRow['headers'] {
  return new Map(
    text
      .split(',')
      .filter((each) => each !== '')
      .map((each) => {
        const [name = '', ...content] = each.split('=');
        return [name, Buffer.from(content.join('='))];
      }),
  );
}
