import type { Instant } from './instant.ts';

/** How a rule's region follows from its sources (STANDARDS "Countries"). */
export const BASES = ['named', 'interpretation', 'territory', 'default'] as const;
export type Basis = (typeof BASES)[number];

/**
 * How certain the sources make a rule's dates. `completion-date`: only the end of the move was
 * published.
 */
export const CONFIDENCES = ['stated', 'announced', 'completion-date', 'interpretation'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

export interface PolicyRegion {
  readonly id: string;
  /** Object stores in writing order. The first arbitrates. */
  readonly sites: readonly string[];
  /**
   * The least number of sites, the first included, that must have a sample before it counts as
   * stored; absent: all. The others owe a copy.
   */
  readonly settleWith?: number | undefined;
  /**
   * Days that a sample is kept after the append time of its record; absent: no limit. The version in
   * force now counts, not the one that decided about the sample.
   */
  readonly keepDays?: number | undefined;
}

/** The number of sites that must have a sample of this region before it counts as stored. */
export function settleWith({ sites, settleWith: least }: PolicyRegion): number {
  return least ?? sites.length;
}

/** Places `countries` in `region` for `[from, until)`. */
export interface PolicyRule {
  readonly id: string;
  readonly region: string;
  /** RFC 3339, inclusive. */
  readonly from: string;
  /** RFC 3339, exclusive; absent = open end. */
  readonly until?: string | undefined;
  /** ISO 3166-1 alpha-2 upper case, or `XK`. */
  readonly countries: readonly string[];
  readonly basis: Basis;
  readonly confidence: Confidence;
  /** Sources, such as `GTI §2`. */
  readonly cites: readonly string[];
}

/** The document on `residency.policy`; its digest is SHA-256 over its RFC 8785 form. */
export interface PolicyDocument {
  readonly id: string;
  readonly version: number;
  /** RFC 3339. Version 1 applies to all times; its value here is ignored. */
  readonly effectiveFrom: string;
  readonly regions: readonly PolicyRegion[];
  readonly rules: readonly PolicyRule[];
  /** A note for readers: the claims that the document does not make. */
  readonly notes?: readonly string[] | undefined;
}

/** A document together with its name (`digest`), lower-case hex. */
export interface PolicyVersion {
  readonly document: PolicyDocument;
  readonly digest: string;
}

/** A policy version as read from the policy log. */
export interface PolicyPublished extends PolicyVersion {
  readonly appendedAt: Instant;
}
