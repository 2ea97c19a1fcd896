/** How to reach an S3 server of the stack. */
export interface S3Endpoint {
  readonly endpoint: string;
  readonly awsRegion: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly pathStyle: boolean;
}

export const TEST_SITES = ['zrh-1', 'zrh-2', 'mow-1'] as const;
export type TestSite = (typeof TEST_SITES)[number];
export type StackSites = Readonly<Record<TestSite, S3Endpoint>>;

/**
 * Real servers. A test that shares them uses a topic prefix, bucket names and key prefixes of its own.
 */
export interface Stack {
  /** `host:port` each. */
  readonly kafka: { readonly brokers: readonly string[] };
  readonly sites: StackSites;
  /** `redis://127.0.0.1:port`. */
  readonly redis: { readonly url: string };
}
