/** Its custodian is frozen before the first byte, and wakes when the sample is erased. */
export const WAKES = 'custodian that wakes after an erasure';

/** What a round kills or freezes. */
export const VICTIMS = [
  'custodian',
  'custodians',
  'frozen custodian',
  'auditor',
  'broker',
  'redis',
  WAKES,
] as const;
export type Victim = (typeof VICTIMS)[number];

const MOST_FINDINGS = 50;

/** What the runs of the proof counted. */
export class VaultTally {
  /** Access ids that clients asked with. */
  accesses = 0;
  given = 0;
  /** Requests that clients sent, those without an answer too. */
  answers = 0;
  /** Samples whose access was public when their first byte arrived. */
  arrivals = 0;
  /** Samples that were erased before they were given out. */
  withheld = 0;
  /** Custodians that woke after an erasure. */
  woke = 0;
  /** Accesses that were public when their custodian was frozen for that; and of these, those without a first byte. */
  frozen = 0;
  frozenBeforeFirstByte = 0;
  found = 0;
  readonly findings: string[] = [];
  readonly victims = new Map<Victim, number>();

  find(finding: string): void {
    this.found += 1;
    if (this.findings.length < MOST_FINDINGS) this.findings.push(finding);
  }

  disturbed(victim: Victim): void {
    this.victims.set(victim, (this.victims.get(victim) ?? 0) + 1);
  }
}
