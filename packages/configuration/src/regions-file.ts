import { defined } from '@residency/defined';
import { JsonError, readJson } from '@residency/residency';
import { z } from 'zod';
import {
  AWS_REGION,
  AWS_REGION_EXPECTED,
  BUCKET,
  BUCKET_EXPECTED,
  ENDPOINT_EXPECTED,
  isEndpoint,
} from './bucket-address.ts';
import type { Mistake } from './mistake.ts';

/** The address of one site. */
export interface SitePlace {
  readonly site: string;
  readonly region: string;
  readonly bucket: string;
  readonly endpoint?: string;
  readonly awsRegion: string;
  readonly pathStyle: boolean;
  readonly checksums: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED';
}

const NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const entry = z.strictObject({
  region: z.string().regex(NAME, "a region's name as in the policy"),
  bucket: z.string().regex(BUCKET, BUCKET_EXPECTED),
  endpoint: z.string().refine(isEndpoint, ENDPOINT_EXPECTED).optional(),
  awsRegion: z.string().regex(AWS_REGION, AWS_REGION_EXPECTED),
  pathStyle: z.boolean('true or false').default(false),
  checksums: z
    .enum(['WHEN_REQUIRED', 'WHEN_SUPPORTED'], '"WHEN_REQUIRED" or "WHEN_SUPPORTED"')
    .default('WHEN_REQUIRED'),
});
const schema = z.strictObject({
  sites: z.record(z.string().regex(NAME, "a site's name as in the policy"), entry),
});

type Read =
  | { readonly sites: readonly SitePlace[]; readonly mistakes: readonly [] }
  | { readonly sites?: never; readonly mistakes: readonly Mistake[] };

/** Messages repeat no value of the document, because it may contain a secret. */
export function readRegions(text: string, variable = 'RESIDENCY_REGIONS_FILE'): Read {
  const document = parse(text);
  if ('problem' in document)
    return {
      mistakes: [{ variable, expected: 'a file with a JSON object', found: document.problem }],
    };
  const parsed = schema.safeParse(document.value);
  if (!parsed.success)
    return { mistakes: parsed.error.issues.flatMap((issue) => mistakesOf(issue, variable)) };
  const sites = Object.entries(parsed.data.sites).map(([site, { endpoint, ...place }]) => ({
    site,
    ...place,
    ...defined({ endpoint }),
  }));
  const mistakes = [
    ...collisions(sites, variable),
    ...(sites.length === 0 ? [{ variable, expected: 'at least one site', found: 'none' }] : []),
  ];
  return mistakes.length > 0 ? { mistakes } : { sites, mistakes: [] };
}

function parse(text: string): { readonly value: unknown } | { readonly problem: string } {
  // Invalid bytes are decoded leniently; this character replaces those that were not UTF-8.
  if (text.includes('\ufffd')) return { problem: 'bytes that are not UTF-8' };
  try {
    return { value: readJson(text) };
  } catch (error) {
    return { problem: error instanceof JsonError ? error.problem : 'something else' };
  }
}

const FOUND: Readonly<Record<string, string>> = {
  invalid_type: 'nothing, or another kind of value',
};

function mistakesOf(issue: z.core.$ZodIssue, variable: string): Mistake[] {
  const at = issue.path.map((part) => printable(String(part))).join('.');
  const where = (name: string): string =>
    `in ${[at, name].filter((part) => part !== '').join('.') || 'the document'}`;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      variable,
      expected: `only members it knows ${where('')}`,
      found: `"${printable(key)}"`,
    }));
  if (issue.code === 'invalid_key')
    return [
      {
        variable,
        expected: "sites' names as in the policy in sites",
        found: `"${printable(String(issue.path.at(-1)))}"`,
      },
    ];
  const expected =
    issue.code === 'invalid_type'
      ? `${article(issue.expected)} ${where('')}`
      : `${issue.message} ${where('')}`;
  return [{ variable, expected, found: FOUND[issue.code] ?? 'something else' }];
}

function article(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

function printable(text: string): string {
  return text.slice(0, 64).replaceAll(/[^\w.-]/g, '?');
}

/** Two sites in one bucket would each report the other's objects as foreign. */
function collisions(sites: readonly SitePlace[], variable: string): readonly Mistake[] {
  const taken = new Map<string, string>();
  const found: Mistake[] = [];
  for (const { site, endpoint = '', bucket } of sites) {
    const place = `${endpoint.replace(/\/$/, '')} ${bucket}`;
    const other = taken.get(place);
    if (other === undefined) taken.set(place, site);
    else
      found.push({
        variable,
        expected: 'a bucket of its own for each site',
        found: `one bucket for ${other} and ${site}`,
      });
  }
  return found;
}
