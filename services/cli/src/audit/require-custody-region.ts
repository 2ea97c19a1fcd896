import { custodyTopic, regionOfCustody } from '@residency/contracts';
import { usage } from '../terminal/cli-error.ts';

/** Throws `USAGE` unless a custody log can be named after what `--custody` says. */
export function requireCustodyRegion(region: string): void {
  if (regionOfCustody(custodyTopic(region)) === undefined)
    throw usage('Expected --custody with a region, such as zurich, found another text.');
}
