import { remedyOf } from '@residency/coded-error';
import { objectMetadataIn, formatPosition, sha256 } from '@residency/contracts';
import type { AuditEvent, ObjectMetadata, Placement, StoredEvent } from '@residency/contracts';
import type { DifferenceCode } from './difference.ts';
import type {
  BoundContext,
  OpenSealed,
  ReadSealedHeader,
  SealedHeader,
} from './ports/sealed-reader.ts';
import type { FoundObject } from './ports/site-reader.ts';

export type DuplicateEvent = Extract<AuditEvent, { readonly outcome: 'duplicate' }>;
/** An event that names placed objects. */
export type PlacingEvent = StoredEvent | DuplicateEvent;

/** A difference between an object and its event. */
export interface Fault {
  readonly code: DifferenceCode;
  readonly message: string;
}

/**
 * Compares an object with its event. `placement`: the event's entry for this site. If the event has
 * none (reported separately), the object's metadata is used instead.
 */
export function checkObject(
  found: FoundObject | undefined,
  event: PlacingEvent,
  placement: Placement | undefined,
  readHeader: ReadSealedHeader,
): Fault[] {
  if (found === undefined) {
    return [
      {
        code: 'OBJECT_MISSING',
        message:
          'Expected the object of a stored event, found none; have it copied from another site of its region (residency site repair), or redrive the record while the intake log holds it.',
      },
    ];
  }
  const metadata = metadataOf(found);
  const replaced =
    placement === undefined || metadata === undefined
      ? undefined
      : checkReplaced(found, metadata, event, placement, readHeader);
  if (replaced !== undefined) return [replaced];
  const sealedSha256 = placement?.sealedSha256 ?? metadata?.sealedSha256;
  const faults = [
    checkMetadata(found, metadata, event, placement),
    checkBytes(found.bytes, sealedSha256, placement?.sealedBytes),
  ].filter((fault) => fault !== undefined);
  // The bytes are not those that were written. The only further question is whether they are sealed
  // for another region.
  if (faults.some(({ code }) => code === 'SIZE_DIFFERS' || code === 'CIPHERTEXT_DIFFERS'))
    return [...faults, ...otherRegion(found.bytes, event, readHeader)];
  const context = checkHeader(
    found.bytes,
    event,
    placement,
    placement?.wrappingKey ?? metadata?.wrappingKey,
    readHeader,
  );
  return context === undefined ? faults : [...faults, context];
}

/**
 * An intact object of another record of the same submission is at the key, because the site lost
 * the event's own object.
 */
function checkReplaced(
  { bytes }: FoundObject,
  metadata: ObjectMetadata,
  event: PlacingEvent,
  placement: Placement,
  readHeader: ReadSealedHeader,
): Fault | undefined {
  if (
    metadata.sealedSha256 === placement.sealedSha256 ||
    metadata.position === writtenAt(event, placement).position ||
    sha256(bytes) !== metadata.sealedSha256
  )
    return undefined;
  const { sampleSha256, policyDigest, wrappingKey } = metadata;
  const {
    submission,
    decision: { region },
    country,
  } = event.data;
  try {
    const header = readHeader(bytes);
    if (
      differing({ region, submission, sampleSha256, policyDigest }, header).length > 0 ||
      !isWrappedOnce(header, wrappingKey)
    )
      return undefined;
  } catch {
    return undefined;
  }
  return sampleSha256 === event.data.sampleSha256 && metadata.country === country
    ? {
        code: 'OBJECT_REPLACED',
        message:
          "Expected the event's own object, found that of another record with the same sample: the site lost the first one. The sample is there; to have the event's own object back, copy it with its metadata from another site of the region.",
      }
    : {
        code: 'OBJECT_REPLACED',
        message:
          "Expected the event's own object, found that of another record with another sample or country: the site lost the first one. Copy it back with its metadata from another site of the region: docs/runbooks/ResidencySitesDisagree.md.",
      };
}

/**
 * The position and policy digest that the object's metadata and message must name: those of the
 * event, or of the record from which the object was adopted.
 */
function writtenAt(
  { position, data }: PlacingEvent,
  placement: Placement | undefined,
): { readonly position: string; readonly policyDigest: string } {
  return (
    placement?.adopted ?? {
      position: formatPosition(position),
      policyDigest: data.decision.policy.digest,
    }
  );
}

function otherRegion(
  bytes: Buffer,
  {
    data: {
      decision: { region },
    },
  }: PlacingEvent,
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

/** Checks an object that has no event yet. The only evidence is the object itself and its place. */
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

/** Opens the object and compares its sample and context with the event. `undefined`: they agree. */
export async function checkOpened(
  bytes: Buffer,
  event: PlacingEvent,
  placement: Placement | undefined,
  open: OpenSealed,
): Promise<Fault | undefined> {
  let opened: Awaited<ReturnType<OpenSealed>>;
  try {
    opened = await open(bytes, event.data.decision.region);
  } catch (error) {
    // The key's holder cannot be asked now: that says nothing about the object.
    if (remedyOf(error) === 'retry') throw error;
    // The cause may quote input, so it is not passed on.
    return {
      code: 'DOES_NOT_OPEN',
      message:
        "Expected the object to open with its region's private key, found that it does not; see whether the key that wrapped it is there and may be used.",
    };
  }
  const wrong = differing(
    {
      ...expectedContext(event, placement),
      sample: event.data.sampleSha256,
      bytes: event.data.sampleBytes,
    },
    { ...opened.context, sample: sha256(opened.sample), bytes: opened.sample.length },
  );
  return wrong.length === 0
    ? undefined
    : {
        code: 'OPENED_DIFFERS',
        message: `Expected the sample and context the event names, found others on opening: ${wrong.join(', ')}.`,
      };
}

/**
 * The object's metadata; `undefined` if there is none, or none that a router writes. The store
 * controls the input.
 */
export function metadataOf({ metadata }: FoundObject): ObjectMetadata | undefined {
  return objectMetadataIn(metadata);
}

function checkMetadata(
  found: FoundObject,
  metadata: ObjectMetadata | undefined,
  event: PlacingEvent,
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
  const expected: { readonly [name in keyof ObjectMetadata]?: unknown } = {
    erased: undefined,
    ...writtenAt(event, placement),
    sampleSha256: event.data.sampleSha256,
    country: event.data.country,
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
  event: PlacingEvent,
  placement: Placement | undefined,
  wrappingKey: string | undefined,
  readHeader: ReadSealedHeader,
): Fault | undefined {
  let header: SealedHeader;
  try {
    header = readHeader(bytes);
  } catch {
    return NO_MESSAGE;
  }
  const wrong = differing(expectedContext(event, placement), header);
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

/** A data key that is wrapped for a second key can be opened by somebody else. */
function isWrappedOnce({ wrappingKeys }: SealedHeader, wrappingKey: string | undefined): boolean {
  const [only, ...more] = wrappingKeys;
  return (
    only !== undefined && more.length === 0 && (wrappingKey === undefined || only === wrappingKey)
  );
}

function expectedContext(event: PlacingEvent, placement: Placement | undefined): BoundContext {
  const { data } = event;
  return {
    region: data.decision.region,
    policyDigest: writtenAt(event, placement).policyDigest,
    sampleSha256: data.sampleSha256,
    submission: data.submission,
  };
}

/** The names of the members of `expected` whose values differ in `found`. */
function differing<T extends object>(
  expected: T,
  found: { readonly [name in keyof T]?: unknown },
): string[] {
  const values = new Map<string, unknown>(Object.entries(found));
  return Object.entries(expected)
    .filter(([name, value]) => values.get(name) !== value)
    .map(([name]) => name);
}
