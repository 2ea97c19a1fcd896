export {
  CUSTODY_FINDING_CODES,
  evolveHolding,
  holding,
  holdingOf,
  owedSites,
  unerasedSites,
} from './holding.ts';
export type {
  CustodyFinding,
  Folded,
  Holding,
  PlacedCopy,
  SampleCopied,
  SampleErased,
  SampleEvent,
  SampleLost,
  StoredSample,
} from './holding.ts';
