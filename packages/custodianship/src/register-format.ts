import { TOPICS, custodyTopic, parsePosition } from '@residency/contracts';
import type { ClaimedIdentity, Topic } from '@residency/contracts';
import { defined } from '@residency/defined';
import { tryReadJson } from '@residency/residency';
import type { CustodyEnd, SavedHead } from './custody-head.ts';
import type { SavedErasures } from './saved-erasures.ts';
import type { SavedDebts } from './debts.ts';
import type { SavedPages } from './offset-pages.ts';
import type { SavedSet } from './offset-sets.ts';
import type { SavedOwners } from './unsettled-owners.ts';

/** The ids of the topics that were read (KIP-516). Absent: the log has none. */
export interface RegisterTopics {
  readonly audit?: string;
  readonly custody?: string;
}

/** `topicId`: the id of a topic now. A topic that was made again has another one. */
export async function registerTopics(
  region: string,
  topicId: (topic: Topic) => Promise<string | undefined>,
): Promise<RegisterTopics> {
  return defined({
    audit: await topicId(TOPICS.audit),
    custody: await topicId(custodyTopic(region)),
  });
}

/** Of an audit partition: the last record that was read, with the digest of its value. */
export interface AuditPlace {
  readonly partition: number;
  readonly offset: bigint;
  readonly digest: string;
}

/** What a custodian keeps in memory, and up to where it has read both logs. */
export interface Register {
  readonly log: string;
  readonly region: string;
  readonly topics: RegisterTopics;
  readonly head: SavedHead;
  /** The sites that `debts` are about: those in service. */
  readonly sites: readonly string[];
  readonly debts: SavedDebts;
  /** By partition of the audit log. */
  readonly stored: readonly SavedPages[];
  readonly owners: SavedOwners;
  readonly audit: readonly AuditPlace[];
  /** Absent: nothing was ever ordered to be erased. */
  readonly erasures?: SavedErasures;
}

const FORMAT = 'residency-register/3';
const WORD = 4;
/** The most words of one piece, so that hashing one does not hold up other work. */
const PIECE = 64 * 1024;
/** Kinds of blocks whose place is the number of a page. */
const PAGED: ReadonlySet<string> = new Set(['prints', 'stored']);
const IS_LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

interface Block {
  readonly of: readonly [kind: string, name: string, place: string];
  readonly words: readonly Uint32Array[];
}

/**
 * A line of the format's name and a JSON object, then the words of all blocks that the object lists,
 * in this machine's order of bytes. The pieces are the register's own memory.
 */
export function* encodeRegister(register: Register): Generator<Uint8Array> {
  const { log, region, topics, head, sites, debts, owners, audit, erasures } = register;
  const blocks = blocksOf(register);
  const line = `${FORMAT} ${JSON.stringify({
    log,
    region,
    topics,
    sites,
    little: IS_LITTLE,
    end: head.end === undefined ? null : { ...head.end, offset: String(head.end.offset) },
    closed: head.closed,
    accesses: head.accesses.map((value) => value.toString('base64')),
    later: head.prints.later,
    oldestAt: debts.oldestAt,
    settled: owners.settled.map(([partition, offset]) => [partition, String(offset)]),
    named: owners.named,
    places: audit.map(({ partition, offset, digest }) => [partition, String(offset), digest]),
    erasures: erasures && {
      ...erasures,
      next: erasures.next.map(([partition, offset]) => [partition, String(offset)]),
    },
    blocks: blocks.map(({ of, words }) => [...of, lengthOf(words)]),
  })}`;
  const bytes = Buffer.from(line);
  yield bytes;
  // The words begin at a multiple of their size.
  yield Buffer.from(`${' '.repeat(WORD - 1 - (bytes.length % WORD))}\n`);
  for (const words of blocks.flatMap((block) => block.words))
    for (let from = 0; from < words.length; from += PIECE) {
      const piece = words.subarray(from, from + PIECE);
      yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    }
}

/**
 * The inverse; keeps `bytes`. `undefined`: another format. The storage compares a digest, so bytes
 * in this format are as they were written.
 */
export function decodeRegister(bytes: Buffer): Register | undefined {
  const end = bytes.indexOf('\n');
  if (!bytes.subarray(0, FORMAT.length + 1).equals(Buffer.from(`${FORMAT} `))) return undefined;
  try {
    return registerOf(
      new Fields(tryReadJson(bytes.subarray(FORMAT.length, end).toString('utf8'))),
      bytes.subarray(end + 1),
    );
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function blocksOf({ head, debts, stored }: Register): readonly Block[] {
  return [
    ...pagesIn('prints', head.prints.pages),
    ...pagesIn('stored', stored),
    ...setsIn('repaired', head.repaired),
    ...setsIn('not-repaired', head.notRepaired),
    ...setsIn('erased', head.erased),
    ...setsIn('lost', head.lost),
    ...setsIn('loss-refused', head.lossRefused),
    ...setsIn('due', debts.due),
  ];
}

function pagesIn(kind: string, pages: readonly SavedPages[]): readonly Block[] {
  return pages.map(({ of, first, words }) => ({ of: [kind, of, String(first)], words }));
}

function setsIn(kind: string, sets: readonly SavedSet[]): readonly Block[] {
  return sets.map(({ site, partition, words }) => ({
    of: [kind, site, partition],
    words: [words],
  }));
}

function lengthOf(words: readonly Uint32Array[]): number {
  return words.reduce((sum, { length }) => sum + length, 0);
}

function registerOf(json: Fields, rest: Buffer): Register {
  if (json.of('little').value !== IS_LITTLE) throw new Malformed();
  const blocks = blocksIn(json.of('blocks'), rest);
  const sets = (wanted: string): readonly SavedSet[] =>
    blocks.flatMap(({ of: [kind, site, partition], words: [words] }) =>
      kind === wanted && words !== undefined ? [{ site, partition, words }] : [],
    );
  const pages = (wanted: string): readonly SavedPages[] =>
    blocks.flatMap(({ of: [kind, of, first], words }) =>
      kind === wanted ? [{ of, first: BigInt(first), words }] : [],
    );
  const topics = json.of('topics');
  const end = json.of('end');
  return {
    log: json.of('log').text,
    region: json.of('region').text,
    topics: defined({
      audit: topics.of('audit').optionalText,
      custody: topics.of('custody').optionalText,
    }),
    sites: json.of('sites').list.map(({ text }) => text),
    head: {
      ...(end.value === null ? {} : { end: endOf(end) }),
      prints: {
        pages: pages('prints'),
        later: json
          .of('later')
          .list.map((one) => [one.of(0).text, one.of(1).list.map(({ number }) => number)]),
      },
      closed: json.of('closed').list.map(({ text }) => text),
      accesses: json.of('accesses').list.map(({ text }) => Buffer.from(text, 'base64')),
      repaired: sets('repaired'),
      notRepaired: sets('not-repaired'),
      erased: sets('erased'),
      lost: sets('lost'),
      lossRefused: sets('loss-refused'),
    },
    debts: {
      due: sets('due'),
      oldestAt: json.of('oldestAt').list.map((one) => [one.of(0).text, one.of(1).number]),
    },
    stored: pages('stored'),
    owners: {
      settled: json.of('settled').list.map((one) => [one.of(0).text, one.of(1).offset]),
      named: json.of('named').list.map(claimOf),
    },
    audit: json.of('places').list.map((one) => ({
      partition: one.of(0).number,
      offset: one.of(1).offset,
      digest: one.of(2).text,
    })),
    ...defined({ erasures: erasuresOf(json.of('erasures')) }),
  };
}

function claimOf(claim: Fields): ClaimedIdentity {
  const text = (member: string): string => claim.of(member).text;
  return {
    submission: text('submission'),
    of: claim.of('of').position,
    sampleSha256: text('sampleSha256'),
    country: text('country'),
  };
}

function erasuresOf(erasures: Fields): SavedErasures | undefined {
  if (erasures.value === undefined) return undefined;
  return {
    names: erasures.of('names').text,
    held: erasures.of('held').number,
    next: erasures.of('next').list.map((one) => [one.of(0).number, one.of(1).offset]),
  };
}

function endOf(end: Fields): CustodyEnd {
  return {
    offset: end.of('offset').offset,
    sequence: end.of('sequence').number,
    digest: end.of('digest').text,
  };
}

/** Throws unless the blocks are all of `rest`. */
function blocksIn(listed: Fields, rest: Buffer): readonly Block[] {
  let from = 0;
  const blocks = listed.list.map((one): Block => {
    const [kind, name, place] = [one.of(0).text, one.of(1).text, one.of(2).text];
    const { number } = one.of(3);
    const found = rest.subarray(from, from + number * WORD);
    if (found.length !== number * WORD || (PAGED.has(kind) && !/^\d{1,19}$/.test(place)))
      throw new Malformed();
    from += found.length;
    return { of: [kind, name, place], words: [wordsOf(found)] };
  });
  if (from !== rest.length) throw new Malformed();
  return blocks;
}

/** The bytes themselves if they begin at a multiple of a word, else a copy. */
function wordsOf(bytes: Buffer): Uint32Array {
  const { buffer, byteOffset } = bytes.byteOffset % WORD === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(buffer, byteOffset, bytes.length / WORD);
}

class Malformed extends Error {}

/** Values of the JSON object. Whoever may write to the custodian's folder controls them. */
class Fields {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  of(key: string | number): Fields {
    const { value } = this;
    if (typeof value !== 'object' || value === null) throw new Malformed();
    return new Fields(Object.getOwnPropertyDescriptor(value, key)?.value);
  }

  get optionalText(): string | undefined {
    return this.value === undefined ? undefined : this.text;
  }

  get list(): readonly Fields[] {
    if (!Array.isArray(this.value)) throw new Malformed();
    return this.value.map((one) => new Fields(one));
  }

  get text(): string {
    if (typeof this.value !== 'string') throw new Malformed();
    return this.value;
  }

  /** A safe whole number, not negative. */
  get number(): number {
    if (!Number.isSafeInteger(this.value) || typeof this.value !== 'number' || this.value < 0)
      throw new Malformed();
    return this.value;
  }

  get position(): string {
    try {
      parsePosition(this.text);
    } catch {
      throw new Malformed();
    }
    return this.text;
  }

  get offset(): bigint {
    if (!/^\d{1,19}$/.test(this.text)) throw new Malformed();
    return BigInt(this.text);
  }
}
