import type { Instant } from './instant.ts';

/** Why a country stands where it stands (STANDARDS "Countries"). */
export const BASES = ['named', 'interpretation', 'territory', 'default'] as const;
export type Basis = (typeof BASES)[number];

/** How sure the source lets us be of a rule's dates: `completion-date` = only the end of the move was published. */
export const CONFIDENCES = ['stated', 'announced', 'completion-date', 'interpretation'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

export interface PolicyRegion {
  readonly id: string;
  /** Object stores in writing order; the first arbitrates. */
  readonly sites: readonly string[];
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
  /** RFC 3339. Version 1 is in force since ever, whatever stands here. */
  readonly effectiveFrom: string;
  readonly regions: readonly PolicyRegion[];
  readonly rules: readonly PolicyRule[];
  /** What the document does not claim, for its readers. */
  readonly notes?: readonly string[] | undefined;
}

/** A document together with its name (`digest`), lower-case hex. */
export interface PolicyVersion {
  readonly document: PolicyDocument;
  readonly digest: string;
}

/** A policy version as the policy log gave it. */
export interface PolicyPublished extends PolicyVersion {
  readonly appendedAt: Instant;
}
