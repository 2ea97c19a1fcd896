import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { counted, grouped } from '../terminal/table.ts';
import { periodOf } from '../system/period.ts';
import type { FoundSample } from './found-page.ts';
import { openVault } from './vault-client.ts';
import type { VaultOptions } from './vault-options.ts';

type Options = Common &
  VaultOptions & {
    readonly purpose: string;
    readonly from?: number;
    readonly to?: number;
    readonly country?: string;
    readonly verdict?: string;
    readonly sampleSha256?: string;
    readonly limit?: number;
    readonly after?: string;
  };

/** The most samples in one answer. */
const ASKED = 1_000;

/** Lists what a vault finds, answer by answer. */
export async function searchSamples(session: Session, options: Options): Promise<ExitCode> {
  const { output } = session;
  const { purpose, country, verdict, sampleSha256, json } = options;
  const { from, to } = periodOf(options);
  const client = await openVault(session, options);
  const conditions = {
    purpose,
    country,
    verdict,
    sampleSha256,
    from: from === undefined ? undefined : new Date(from).toISOString(),
    to: to === undefined ? undefined : new Date(to).toISOString(),
  };
  let { after, limit: left = Infinity } = options;
  let [listed, erased, answered] = [0, 0, false];
  const print = async (sample: FoundSample): Promise<void> => {
    if (json) await output.json(sample);
    else if (!sample.erased) await output.line(sample.submission);
    if (sample.erased) erased += 1;
    else listed += 1;
  };
  try {
    do {
      checkInterrupted(session);
      const limit = String(Math.min(left, ASKED));
      const answer = await client.search({ ...conditions, limit, after });
      if (answer.kind === 'refused') {
        output.note(`Refused: ${answer.detail} (${answer.code})`);
        return EXIT.found;
      }
      const { samples, next } = answer.value;
      answered = true;
      for (const sample of samples) await print(sample);
      after = next;
      left -= samples.length;
    } while (after !== undefined && left > 0);
    return EXIT.done;
  } finally {
    const more = after === undefined ? '' : ` Go on with --after ${after}`;
    if (answered)
      output.note(
        `Found ${counted(listed, 'sample')}, and ${grouped(erased)} that are erased or to be.${more}`,
      );
  }
}
