import { createHash } from 'node:crypto';
import type { ReadHash } from '../src/index.ts';

// RFC 6962 §2.1 word for word, with another hash implementation, sharing no code with the package.

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

export function fromHex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

function hash(...parts: readonly Uint8Array[]): Uint8Array {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return new Uint8Array(digest.digest());
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

export class NaiveTree {
  readonly entries: readonly Uint8Array[];
  readonly #known = new Map<string, Uint8Array>();

  constructor(entries: readonly Uint8Array[]) {
    this.entries = entries;
  }

  root(from = 0, to = this.entries.length): Uint8Array {
    const key = `${from}-${to}`;
    const known = this.#known.get(key) ?? this.#root(from, to);
    this.#known.set(key, known);
    return known;
  }

  #root(from: number, to: number): Uint8Array {
    if (to === from) return hash();
    if (to - from === 1) return hash(Uint8Array.of(0), this.entries[from] ?? new Uint8Array());
    const middle = from + largestPowerBelow(to - from);
    return hash(Uint8Array.of(1), this.root(from, middle), this.root(middle, to));
  }

  /** PATH(index, D[from:to]) */
  path(index: number, to = this.entries.length, from = 0): Uint8Array[] {
    if (to - from === 1) return [];
    const middle = from + largestPowerBelow(to - from);
    return index < middle
      ? [...this.path(index, middle, from), this.root(middle, to)]
      : [...this.path(index, to, middle), this.root(from, middle)];
  }

  /** PROOF(older, D[0:newer]) */
  proof(older: number, newer = this.entries.length): Uint8Array[] {
    return older === 0 ? [] : this.#subproof(older, 0, newer, true);
  }

  #subproof(older: number, from: number, to: number, whole: boolean): Uint8Array[] {
    if (older === to) return whole ? [] : [this.root(from, to)];
    const middle = from + largestPowerBelow(to - from);
    return older <= middle
      ? [...this.#subproof(older, from, middle, whole), this.root(middle, to)]
      : [...this.#subproof(older, middle, to, false), this.root(from, middle)];
  }

  readonly read: ReadHash = async (height, index) =>
    this.root(index * 2 ** height, (index + 1) * 2 ** height);
}

/** Entries that differ in content and length. */
export function entriesUpTo(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    bytesOf(`entry ${index}`.padEnd(index % 19, '.')),
  );
}
