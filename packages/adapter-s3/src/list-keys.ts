import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { memberOf } from './site-failure.ts';

/** The keys of one page of a list, as the answer has them: form-encoded. */
interface TakenKeys {
  readonly keys: readonly string[];
  /** The answer without its objects. */
  readonly rest: string;
}

const BEGIN = '<Contents>';
const END = '</Contents>';
const KEY = '<Key>';
const KEY_END = '</Key>';
/** What a form-encoded key consists of: nothing that XML could write in two ways. */
const ENCODED = /^[A-Za-z0-9\-_.!~*'()%+/]+$/;

/**
 * The SDK takes 18 ms of CPU for the XML of a thousand objects, of which the keys alone are wanted.
 * So they are taken out of the answer before the SDK reads it, which does all the rest: whether it is
 * an answer, whether it goes on. Returns a call for the keys; they are `undefined` if the answer has
 * another form than S3's own, and then the SDK has read them.
 */
export function takingKeys(command: ListObjectsV2Command): () => readonly string[] | undefined {
  let taken: TakenKeys | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (memberOf(response, 'statusCode') !== 200 || !hasBody(response)) return result;
      const bytes = await buffer(response.body);
      taken = takeKeys(bytes.toString('latin1'));
      Object.assign(response, {
        body: taken === undefined ? bytes : Buffer.from(taken.rest, 'latin1'),
      });
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'takeKeys' },
  );
  return () => taken?.keys;
}

/** `undefined`: the answer has another form. */
export function takeKeys(xml: string): TakenKeys | undefined {
  // Comments and sections that are not parsed could hide anything.
  if (xml.includes('<!') || !xml.includes('<EncodingType>url</EncodingType>')) return undefined;
  const keys: string[] = [];
  let [rest, at] = ['', 0];
  for (;;) {
    const begin = xml.indexOf(BEGIN, at);
    if (begin === -1) break;
    const end = xml.indexOf(END, begin);
    const key = end === -1 ? undefined : keyIn(xml.slice(begin + BEGIN.length, end));
    if (key === undefined) return undefined;
    keys.push(key);
    rest += xml.slice(at, begin);
    at = end + END.length;
  }
  rest += xml.slice(at);
  return /Contents/.test(rest) ? undefined : { keys, rest };
}

function keyIn(object: string): string | undefined {
  const begin = object.indexOf(KEY);
  const end = object.indexOf(KEY_END, begin);
  if (begin === -1 || end === -1 || object.indexOf(KEY, begin + 1) !== -1) return undefined;
  const key = object.slice(begin + KEY.length, end);
  return ENCODED.test(key) && !object.includes(BEGIN) ? key : undefined;
}

function hasBody(response: unknown): response is { readonly body: Readable } {
  return memberOf(response, 'body') instanceof Readable;
}

/**
 * S3 encodes keys in lists with form encoding. A key that is not encoded so is returned unchanged:
 * it is no sample's key.
 */
export function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
