import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { PutObjectCommandInput, S3ClientConfig } from '@aws-sdk/client-s3';
import { memberOf } from '../src/site-failure.ts';

/** A request as the SDK would send it. */
export interface PreparedRequest {
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Its signature, `authorization`, among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Has the SDK prepare and sign a request, which is not sent. */
export async function preparedBySdk(
  config: S3ClientConfig,
  input: PutObjectCommandInput & { readonly isHead?: boolean },
): Promise<PreparedRequest> {
  const client = new S3Client({ maxAttempts: 1, expectContinueHeader: false, ...config });
  const { isHead = false, ...rest } = input;
  const command = isHead
    ? new HeadObjectCommand({ Bucket: rest.Bucket, Key: rest.Key })
    : new PutObjectCommand(rest);
  let prepared: unknown;
  // It names the operation for the SDK's own sake, and means nothing to S3.
  client.middlewareStack.add(
    (next) => async (args) => {
      Reflect.deleteProperty(memberOf(args.request, 'query') as object, 'x-id');
      return await next(args);
    },
    { step: 'build', name: 'noOperation' },
  );
  client.middlewareStack.add(
    () => async (args) => {
      prepared = args.request;
      const response = { statusCode: 200, headers: {}, body: new Uint8Array() };
      return { response, output: { $metadata: {} } };
    },
    { step: 'deserialize', priority: 'low', name: 'prepareOnly' },
  );
  await client.send(command);
  client.destroy();
  return prepared as PreparedRequest;
}
