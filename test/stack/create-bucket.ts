import { randomBytes } from 'node:crypto';
import { signedRequest } from './signed-request.ts';
import type { S3Endpoint } from './stack.ts';

/** A bucket on a test site, by default with a name that nobody else has. Its name. */
export async function createBucket(
  site: S3Endpoint,
  name = `test-${randomBytes(8).toString('hex')}`,
): Promise<string> {
  const { status, body } = await signedRequest({ method: 'PUT', path: `/${name}`, ...site });
  if (status !== 200)
    throw new Error(
      `Expected the bucket to be created, found status ${status}; is the server up? ${body.toString('utf8').slice(0, 300)}`,
    );
  return name;
}
