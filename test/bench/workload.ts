import { createCipheriv } from 'node:crypto';

/** Samples of one size for one region. */
export interface Workload {
  /** The size of one sample. */
  readonly bytes: number;
  readonly count: number;
  readonly region: keyof typeof REGIONS;
}

/**
 * From policy/residency-1.json: for each region a country that it serves, and the sites of its
 * samples.
 */
export const REGIONS = {
  zurich: { country: 'CH', sites: ['zrh-1', 'zrh-2'] },
  moscow: { country: 'RU', sites: ['mow-1'] },
} as const;

const KEY = Buffer.alloc(32, 'residency bench');

/**
 * Sample `index`: the same incompressible bytes in every process, and different from every other
 * sample.
 */
export function sampleOf({ bytes }: Workload, index: number): Buffer {
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(index);
  return createCipheriv('aes-256-ctr', KEY, counter).update(Buffer.alloc(bytes));
}

const UNITS = [
  ['MiB', 1024 * 1024],
  ['KiB', 1024],
  ['B', 1],
] as const;

export function formatBytes(bytes: number): string {
  const [unit, size] = UNITS.find(([, least]) => bytes >= least) ?? ['B', 1];
  const value = bytes / size;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`;
}

/**
 * The inverse of `formatBytes` for whole numbers, with or without the space; `undefined` for
 * anything else.
 */
export function parseBytes(text: string): number | undefined {
  const [, value, unit] = /^([1-9]\d{0,9}) ?(B|KiB|MiB)$/.exec(text) ?? [];
  const size = UNITS.find(([name]) => name === unit)?.[1];
  return size === undefined ? undefined : Number(value) * size;
}
