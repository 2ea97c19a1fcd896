import { createCipheriv, createHmac } from 'node:crypto';

// Reads and recomputes messages by the specification alone: nothing here is imported from the
// sealer. SPEC is github.com/awslabs/aws-encryption-sdk-specification.

interface ParsedFrame {
  readonly final: boolean;
  readonly sequence: number;
  readonly iv: string;
  /** What the final frame says of itself; a whole frame does not. */
  readonly length: number | undefined;
  readonly content: string;
  readonly tag: string;
}

/** Bytes in hexadecimal. */
interface ParsedMessage {
  readonly version: number;
  readonly suite: number;
  readonly messageId: string;
  readonly contextBytes: number;
  /** In the order of the message. */
  readonly context: readonly (readonly [name: string, value: string])[];
  readonly dataKeys: readonly {
    readonly provider: string;
    readonly name: string;
    readonly wrapped: string;
  }[];
  readonly contentType: number;
  readonly frameBytes: number;
  readonly commitKey: string;
  readonly headerTag: string;
  readonly frames: readonly ParsedFrame[];
}

/** Throws unless the message ends with its final frame. */
export function parseMessage(message: Buffer): ParsedMessage {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > message.length)
      throw new RangeError(`Expected ${length} bytes at ${at} of ${message.length}.`);
    at += length;
    return message.subarray(at - length, at);
  };
  const u16 = (): number => take(2).readUInt16BE();
  const u32 = (): number => take(4).readUInt32BE();
  const times = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read);
  // SPEC, data-format/message-header.md.
  const version = take(1).readUInt8();
  const suite = u16();
  const messageId = take(32).toString('hex');
  const contextBytes = u16();
  const contextEnd = at + contextBytes;
  const context =
    contextBytes === 0
      ? []
      : times(u16(), () => [take(u16()).toString(), take(u16()).toString()] as const);
  if (at !== contextEnd) throw new RangeError(`Expected the context to end at ${contextEnd}.`);
  const dataKeys = times(u16(), () => ({
    provider: take(u16()).toString(),
    name: take(u16()).toString(),
    wrapped: take(u16()).toString('hex'),
  }));
  const contentType = take(1).readUInt8();
  const frameBytes = u32();
  const commitKey = take(32).toString('hex');
  const headerTag = take(16).toString('hex');
  // SPEC, data-format/message-body.md.
  const frames: ParsedFrame[] = [];
  while (frames.at(-1)?.final !== true) {
    const first = u32();
    const final = first === 0xffff_ffff;
    const sequence = final ? u32() : first;
    const iv = take(12).toString('hex');
    const length = final ? u32() : undefined;
    const content = take(length ?? frameBytes).toString('hex');
    frames.push({ final, sequence, iv, length, content, tag: take(16).toString('hex') });
  }
  if (at !== message.length) throw new RangeError(`Expected the message to end at ${at}.`);
  return {
    version,
    suite,
    messageId,
    contextBytes,
    context,
    dataKeys,
    contentType,
    frameBytes,
    commitKey,
    headerTag,
    frames,
  };
}

/** The fields that chance decides, by their lengths: what is left is equal in any two messages. */
export function shapeOf(message: Buffer): object {
  const { messageId, dataKeys, commitKey, headerTag, frames, ...fixed } = parseMessage(message);
  return {
    ...fixed,
    messageId: messageId.length,
    dataKeys: dataKeys.map(({ wrapped, ...names }) => ({ ...names, wrapped: wrapped.length })),
    commitKey: commitKey.length,
    headerTag: headerTag.length,
    frames: frames.map(({ content, tag, ...rest }) => ({
      ...rest,
      content: content.length,
      tag: tag.length,
    })),
  };
}

/** The whole message again, from what chance decided: message id, data key and wrapped data key. */
export function recompute(
  sample: Buffer,
  {
    messageId,
    dataKey,
    wrapped,
    provider,
    name,
    values,
    frameBytes,
  }: {
    readonly messageId: Buffer;
    readonly dataKey: Buffer;
    readonly wrapped: Buffer;
    readonly provider: string;
    readonly name: string;
    readonly values: Readonly<Record<string, string>>;
    readonly frameBytes: number;
  },
): Buffer {
  // RFC 5869; one block of SHA-512 is longer than either key. SPEC,
  // framework/transitive-requirements.md.
  const extracted = createHmac('sha512', messageId).update(dataKey).digest();
  const expand = (info: Buffer): Buffer =>
    createHmac('sha512', extracted).update(info).update(Buffer.of(1)).digest().subarray(0, 32);
  const key = expand(Buffer.concat([Buffer.from('0478', 'hex'), Buffer.from('DERIVEKEY')]));
  const tagged = (iv: Buffer, aad: Buffer, content: Buffer): readonly [Buffer, Buffer] => {
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
    return [Buffer.concat([cipher.update(content), cipher.final()]), cipher.getAuthTag()];
  };
  const pairs = Object.entries(values)
    .map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
    .toSorted(([a], [b]) => Buffer.compare(a, b));
  const context = Buffer.concat([
    u(2, pairs.length),
    ...pairs.flatMap((pair) => pair.map((text) => sized(text))),
  ]);
  const header = Buffer.concat([
    Buffer.from('020478', 'hex'),
    messageId,
    sized(context),
    u(2, 1),
    sized(Buffer.from(provider)),
    sized(Buffer.from(name)),
    sized(wrapped),
    Buffer.of(2),
    u(4, frameBytes),
    expand(Buffer.from('COMMITKEY')),
  ]);
  const parts = [header, tagged(Buffer.alloc(12), header, Buffer.alloc(0))[1]];
  const last = Math.floor(sample.length / frameBytes) + 1;
  for (let sequence = 1; sequence <= last; sequence += 1) {
    const content = sample.subarray((sequence - 1) * frameBytes, sequence * frameBytes);
    const final = sequence === last;
    const iv = Buffer.concat([Buffer.alloc(8), u(4, sequence)]);
    const kind = `AWSKMSEncryptionClient ${final ? 'Final Frame' : 'Frame'}`;
    const aad = [messageId, Buffer.from(kind), u(4, sequence), u(4, 0), u(4, content.length)];
    parts.push(
      ...(final ? [u(4, 0xffff_ffff)] : []),
      u(4, sequence),
      iv,
      ...(final ? [u(4, content.length)] : []),
      ...tagged(iv, Buffer.concat(aad), content),
    );
  }
  return Buffer.concat(parts);
}

function u(bytes: number, value: number): Buffer {
  const field = Buffer.alloc(bytes);
  field.writeUIntBE(value, 0, bytes);
  return field;
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([u(2, bytes.length), bytes]);
}
