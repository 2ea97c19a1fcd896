import { defined } from '@residency/defined';
import { randomUUID } from 'node:crypto';
import { SAMPLE_SHARING } from '@residency/consent';
import {
  consentCloudEvent,
  consentEntry,
  sha256,
  subjectLinkCloudEvent,
  subjectLinkEntry,
} from '@residency/contracts';
import { newSalt } from '../system/salt.ts';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { IntakeOptions } from './intake-options.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import { withSink } from './sink.ts';

type Named = Common & IntakeOptions & { readonly consent: string };
type Grant = Named & {
  readonly subject: string;
  readonly purpose?: readonly string[];
  readonly termsVersion: string;
  readonly terms?: string;
};

const SOURCE = 'urn:residency:cli';

export async function grant(session: Session, options: Grant): Promise<ExitCode> {
  const { consent: consentId, subject, purpose = [SAMPLE_SHARING], termsVersion, terms } = options;
  const termsSha256 = terms === undefined ? undefined : sha256(await readNamed(terms, 'the terms'));
  const link = subjectLinkCloudEvent({ consentId, subject }, envelope());
  const granted = consentCloudEvent(
    {
      kind: 'granted',
      consentId,
      purposes: purpose,
      termsVersion,
      ...defined({ termsSha256 }),
    },
    envelope(),
  );
  valid(() => [subjectLinkEntry(link), consentEntry(granted, newSalt())]);
  const [, accepted] = await withSink(session, options, (sink) => sink.send([link, granted]));
  return await said(session, options, 'granted', accepted?.position ?? '');
}

export async function withdraw(session: Session, options: Named): Promise<ExitCode> {
  const withdrawn = consentCloudEvent(
    { kind: 'withdrawn', consentId: options.consent },
    envelope(),
  );
  valid(() => [consentEntry(withdrawn, newSalt())]);
  const [accepted] = await withSink(session, options, (sink) => sink.send([withdrawn]));
  return await said(session, options, 'withdrawn', accepted?.position ?? '');
}

async function said(
  { output }: Session,
  { consent: consentId, json }: Named,
  event: 'granted' | 'withdrawn',
  position: string,
): Promise<ExitCode> {
  if (json) await output.json({ consentId, event, position });
  else await output.line(`Consent ${consentId} ${event} at ${position}.`);
  return EXIT.done;
}

function envelope(): { readonly id: string; readonly source: string } {
  return { id: randomUUID(), source: SOURCE };
}

/** Throws before anything is opened or made. */
function valid(encode: () => unknown): void {
  try {
    encode();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'INVALID_CONSENT_EVENT') {
      throw usage(
        'Expected --consent of 8 to 128 of A-Z a-z 0-9 _ -, --subject of 1 to 1024 characters, --purpose and --terms-version of 1 to 128; found something else.',
      );
    }
    throw cause;
  }
}
