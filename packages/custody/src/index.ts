export { CUSTODY_FINDING_CODES, evolveHolding, holding, holdingOf, owedSites } from './holding.ts';
export type {
  CustodyFinding,
  Folded,
  Holding,
  PlacedCopy,
  SampleCopied,
  StoredSample,
} from './holding.ts';
