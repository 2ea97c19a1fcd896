import { VERDICTS } from '@residency/contracts/vocabulary';
import { isObject } from '../http/json-object.ts';

/** A stored sample, in the vault's words. */
export interface FoundSample {
  readonly submission: string;
  readonly region: string;
  readonly position: string;
  /** RFC 3339. */
  readonly at: string;
  readonly country: string;
  readonly verdict: string;
  readonly bytes: number;
  readonly sampleSha256: string;
  readonly erased: boolean;
}

export interface FoundPage {
  readonly samples: readonly FoundSample[];
  /** Where the search goes on. Absent: there is no more. */
  readonly next?: string;
}

const HEX64 = /^[0-9a-f]{64}$/;
const REGION = /^[a-z0-9-]{1,64}$/;
const POSITION = /^[A-Za-z0-9._-]{1,64}\/[a-z.]{1,64}\/\d{1,10}\/\d{1,19}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** `undefined`: it is no answer of a vault. Nothing else of it reaches a terminal. */
export function foundPageIn(value: unknown): FoundPage | undefined {
  if (!isObject(value) || !Array.isArray(value['samples'])) return undefined;
  const samples = value['samples'].map(foundSampleIn);
  const known = samples.filter((sample) => sample !== undefined);
  const { next } = value;
  if (known.length < samples.length) return undefined;
  if (next === undefined) return { samples: known };
  return isText(next, POSITION) ? { samples: known, next } : undefined;
}

function foundSampleIn(value: unknown): FoundSample | undefined {
  if (!isObject(value)) return undefined;
  const { submission, region, position, at, country, verdict, bytes, sampleSha256, erased } = value;
  return isText(submission, HEX64) &&
    isText(region, REGION) &&
    isText(position, POSITION) &&
    isText(at, INSTANT) &&
    isText(country, /^[A-Z]{2}$/) &&
    VERDICTS.some((one) => one === verdict) &&
    typeof verdict === 'string' &&
    typeof bytes === 'number' &&
    isText(sampleSha256, HEX64) &&
    typeof erased === 'boolean'
    ? { submission, region, position, at, country, verdict, bytes, sampleSha256, erased }
    : undefined;
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}
