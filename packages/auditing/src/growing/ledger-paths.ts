import { TOPICS, regionOfCustody } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { CHECKPOINT_PATH, tilePath } from '@residency/ledger';
import { isRecordLog } from '../logs/record-logs.ts';

/**
 * A ledger's name in its checkpoints, and of the keys that sign them. The audit log's ledgers are
 * named by their partition alone, those of other logs by topic and partition. Every generation but
 * the first has a name of its own, because it is another tree.
 */
export function ledgerOrigin(
  prefix: string,
  log: string,
  of: TopicPartition,
  generation = 1,
): string {
  return `${prefix}/${log}/${ledgerPath(of, '', generation).slice(0, -1)}`;
}

/** The log that an origin names: by its topic, if it names one, else the audit log. */
export function topicOfOrigin(origin: string): string {
  const topic = /\/([^/]+)\/\d+(?:\/g\d+)?$/.exec(origin)?.[1] ?? '';
  return regionOfCustody(topic) === undefined && !isRecordLog(topic) ? TOPICS.audit : topic;
}

/**
 * True if a ledger's first leaf is the last checkpoint of the previous ledger, not an event.
 */
export function isSuccessor(origin: string): boolean {
  return /\/g(?:[2-9]|[1-9]\d{1,5})$/.test(origin);
}

/** The path of a ledger's file in a store. `path` is named as in C2SP tlog-tiles. */
export function ledgerPath(
  { topic, partition }: TopicPartition,
  path: string,
  generation = 1,
): string {
  const folder = topic === TOPICS.audit ? String(partition) : `${topic}/${partition}`;
  return generation === 1 ? `${folder}/${path}` : `${folder}/g${generation}/${path}`;
}

export function checkpointPath(of: TopicPartition, generation = 1): string {
  return ledgerPath(of, CHECKPOINT_PATH, generation);
}

/**
 * The path, in a ledger, of the tree head that follows the checkpoint of `size`. It is decided
 * before it is signed. The number is in groups of three digits, as for tiles.
 */
export function nextHeadPath(size: number): string {
  return tilePath({ level: 'entries', index: size, width: 256 }).replace('tile/entries/', 'next/');
}

/** The path of the first leaf, in a ledger of a later generation. */
export const FIRST_LEAF_PATH = 'first';

/**
 * The path, in a ledger, of the checkpoint that the key with this id and the key before it both
 * signed.
 */
export function keyChangePath(id: number): string {
  return `keys/${id.toString(16).padStart(8, '0')}`;
}

// No segment begins with a dot or is empty, so no path leads out of the store.
const PATH =
  /^(?:(?:residency\.custody\.[a-z0-9][a-z0-9.-]{0,63}|residency\.policy|residency\.control|threat\.consents)\/)?(?:0|[1-9]\d{0,9})(?:\/[a-z0-9][a-z0-9.]{0,31}){1,10}$/;

/**
 * True if a store may have a file at this path. Stores check this themselves, because HTTP clients
 * control the path.
 */
export function isLedgerPath(path: string): boolean {
  return PATH.test(path);
}
