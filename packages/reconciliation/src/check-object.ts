import { decodeObjectMetadata, formatPosition, sha256 } from '@residency/contracts';
import type { AuditEvent, ObjectMetadata, Placement } from '@residency/contracts';
import type { DifferenceCode } from './difference.ts';
import type {
  BoundContext,
  OpenSealed,
  ReadSealedHeader,
  SealedHeader,
} from './ports/sealed-reader.ts';
import type { FoundObject } from './ports/site-reader.ts';

export type StoredEvent = Extract<AuditEvent, { readonly outcome: 'stored' }>;

/** Why an object is not what its event says. */
export interface Fault {
  readonly code: DifferenceCode;
  readonly message: string;
}

/**
 * Judges an object by its event. `placement`: what the event says about this site; absent where it says nothing (a
 * finding of its own), then the metadata stands in for it.
 */
export function checkObject(
  found: FoundObject | undefined,
  event: StoredEvent,
  placement: Placement | undefined,
  readHeader: ReadSealedHeader,
): Fault[] {
  if (found === undefined) {
    return [
      {
        code: 'OBJECT_MISSING',
        message:
          'Expected the object of a stored event, found none; restore it from another site of its region, or redrive the record while the intake log holds it.',
      },
    ];
  }
  const metadata = metadataOf(found);
  const sealedSha256 = placement?.sealedSha256 ?? metadata?.sealedSha256;
  const faults = [
    checkMetadata(found, metadata, event, placement),
    checkBytes(found.bytes, sealedSha256, placement?.sealedBytes),
  ].filter((fault) => fault !== undefined);
  // Other bytes than were written: whether they are another region's is all that still matters about them.
  if (faults.some(({ code }) => code === 'SIZE_DIFFERS' || code === 'CIPHERTEXT_DIFFERS'))
    return [...faults, ...otherRegion(found.bytes, event, readHeader)];
  const context = checkHeader(
    found.bytes,
    event,
    placement?.wrappingKey ?? metadata?.wrappingKey,
    readHeader,
  );
  return context === undefined ? faults : [...faults, context];
}

function otherRegion(
  bytes: Buffer,
  {
    data: {
      decision: { region },
    },
  }: StoredEvent,
  readHeader: ReadSealedHeader,
): Fault[] {
  try {
    const found = readHeader(bytes).region;
    return found === region
      ? []
      : [
          {
            code: 'WRONG_REGION',
            message: `Expected a message sealed for region ${region}, found one sealed for another; remove it from this site.`,
          },
        ];
  } catch {
    return [];
  }
}

/** What is wrong with an object that no event speaks of yet: only what it says itself, and where it stands, can be judged. */
export function checkInFlight(
  found: FoundObject,
  submission: string,
  belongs: (header: SealedHeader) => boolean,
  readHeader: ReadSealedHeader,
): Fault | undefined {
  const metadata = metadataOf(found);
  let header: SealedHeader;
  try {
    header = readHeader(found.bytes);
  } catch {
    return NO_MESSAGE;
  }
  const wrong = differing(
    {
      submission,
      ...(metadata === undefined
        ? {}
        : { sampleSha256: metadata.sampleSha256, policyDigest: metadata.policyDigest }),
    },
    header,
  );
  if (!belongs(header)) wrong.push('region');
  if (!isWrappedOnce(header, metadata?.wrappingKey)) wrong.push('wrappingKey');
  return wrong.length === 0
    ? undefined
    : boundOtherwise('what its key, its metadata and its site say', wrong);
}

/** Opens the object and compares what comes out with its event; `undefined`: all as it should be. */
export async function checkOpened(
  bytes: Buffer,
  event: StoredEvent,
  open: OpenSealed,
): Promise<Fault | undefined> {
  let opened: Awaited<ReturnType<OpenSealed>>;
  try {
    opened = await open(bytes, event.data.decision.region);
  } catch {
    // The cause may quote what it met: only our own words go on.
    return {
      code: 'DOES_NOT_OPEN',
      message:
        "Expected the object to open with its region's private key, found that it does not; see whether the key that wrapped it is there.",
    };
  }
  const wrong = differing(
    { ...expectedContext(event), sample: event.data.sampleSha256, bytes: event.data.sampleBytes },
    { ...opened.context, sample: sha256(opened.sample), bytes: opened.sample.length },
  );
  return wrong.length === 0
    ? undefined
    : {
        code: 'OPENED_DIFFERS',
        message: `Expected the sample and context the event names, found others on opening: ${wrong.join(', ')}.`,
      };
}

/** The object's metadata; `undefined` where there is none or none of ours. A store controls it. */
export function metadataOf({ metadata }: FoundObject): ObjectMetadata | undefined {
  if (metadata === undefined) return undefined;
  try {
    return decodeObjectMetadata(metadata);
  } catch {
    return undefined;
  }
}

function checkMetadata(
  found: FoundObject,
  metadata: ObjectMetadata | undefined,
  { position, data }: StoredEvent,
  placement: Placement | undefined,
): Fault | undefined {
  if (found.metadata === undefined)
    return {
      code: 'METADATA_MISSING',
      message:
        'Expected metadata beside the object, found none; the object was not written by a router, or was altered.',
    };
  if (metadata === undefined)
    return {
      code: 'METADATA_DIFFERS',
      message: 'Expected the metadata a router writes, found something else beside the object.',
    };
  const expected: Partial<ObjectMetadata> = {
    position: formatPosition(position),
    sampleSha256: data.sampleSha256,
    country: data.country,
    policyDigest: data.decision.policy.digest,
    ...(placement === undefined
      ? {}
      : { sealedSha256: placement.sealedSha256, wrappingKey: placement.wrappingKey }),
  };
  const wrong = differing(expected, metadata);
  return wrong.length === 0
    ? undefined
    : {
        code: 'METADATA_DIFFERS',
        message: `Expected the object's metadata to agree with its event, found otherwise: ${wrong.join(', ')}.`,
      };
}

function checkBytes(
  bytes: Buffer,
  sealedSha256: string | undefined,
  sealedBytes: number | undefined,
): Fault | undefined {
  if (sealedBytes !== undefined && bytes.length !== sealedBytes) {
    return {
      code: 'SIZE_DIFFERS',
      message: `Expected the sealed message to have ${sealedBytes} bytes, found ${bytes.length}; the object was cut, padded or replaced.`,
    };
  }
  if (sealedSha256 === undefined || sha256(bytes) === sealedSha256) return undefined;
  return {
    code: 'CIPHERTEXT_DIFFERS',
    message:
      'Expected the sealed message the event names, found other bytes of the same length; the object was altered or replaced.',
  };
}

function checkHeader(
  bytes: Buffer,
  event: StoredEvent,
  wrappingKey: string | undefined,
  readHeader: ReadSealedHeader,
): Fault | undefined {
  let header: SealedHeader;
  try {
    header = readHeader(bytes);
  } catch {
    return NO_MESSAGE;
  }
  const wrong = differing(expectedContext(event), header);
  if (!isWrappedOnce(header, wrappingKey)) wrong.push('wrappingKey');
  return wrong.length === 0 ? undefined : boundOtherwise('what the event names', wrong);
}

const NO_MESSAGE: Fault = {
  code: 'CONTEXT_DIFFERS',
  message: 'Expected a sealed message, found bytes that are none.',
};

function boundOtherwise(expected: string, wrong: readonly string[]): Fault {
  return {
    code: 'CONTEXT_DIFFERS',
    message: `Expected the sealed message to be bound to ${expected}, found it bound otherwise: ${wrong.join(', ')}.`,
  };
}

/** A data key wrapped a second time would open it for somebody else. */
function isWrappedOnce({ wrappingKeys }: SealedHeader, wrappingKey: string | undefined): boolean {
  const [only, ...more] = wrappingKeys;
  return (
    only !== undefined && more.length === 0 && (wrappingKey === undefined || only === wrappingKey)
  );
}

function expectedContext({ data }: StoredEvent): BoundContext {
  return {
    region: data.decision.region,
    policyDigest: data.decision.policy.digest,
    sampleSha256: data.sampleSha256,
    submission: data.submission,
  };
}

/** Names of the members of `expected` that `found` has otherwise. */
function differing<T extends object>(
  expected: T,
  found: { readonly [name in keyof T]?: unknown },
): string[] {
  const values = new Map<string, unknown>(Object.entries(found));
  return Object.entries(expected)
    .filter(([name, value]) => values.get(name) !== value)
    .map(([name]) => name);
}
