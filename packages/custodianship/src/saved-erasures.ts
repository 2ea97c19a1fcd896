/** For a register: how far the audit log was looked through, for which orders and holds. */
export interface SavedErasures {
  /** Each order, hold and lifting changes it. */
  readonly names: string;
  readonly held: number;
  readonly next: readonly (readonly [partition: number, offset: bigint])[];
}
