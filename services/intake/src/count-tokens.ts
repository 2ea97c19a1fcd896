import { JsonTokens, MAX_JSON_TOKENS, isCloudEventsType } from '@residency/cloudevents';
import { Problem } from '@residency/http-server';

/** Refuses a JSON body with too many tokens as it arrives, before any value is built. */
export function countTokens(contentType = ''): (chunk: Buffer) => Problem | undefined {
  const tokens = isCloudEventsType(contentType) ? new JsonTokens() : undefined;
  return (chunk) => (tokens?.add(chunk) === false ? tooManyTokens() : undefined);
}

export function tooManyTokens(): Problem {
  return new Problem({
    kind: 'too-large',
    code: 'TOO_MANY_TOKENS',
    detail: `Expected at most ${MAX_JSON_TOKENS} values and names in a JSON body; found more. Use data_base64 or binary mode for such data, or smaller batches.`,
  });
}
