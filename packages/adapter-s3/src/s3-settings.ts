/** The address and credentials of one site. A reader has a settings object of its own. */
export interface S3SiteSettings {
  readonly site: string;
  /** The residency region, as policies name it; has nothing to do with `awsRegion`. */
  readonly region: string;
  readonly bucket: string;
  /** Absent: AWS's own for `awsRegion`, never one from the environment. */
  readonly endpoint?: string;
  readonly awsRegion: string;
  /** `<endpoint>/<bucket>/<key>` instead of `<bucket>.<endpoint>/<key>`. */
  readonly pathStyle: boolean;
  /**
   * `WHEN_SUPPORTED`: the store is sent the sealed message's SHA-256 to check and keep
   * (`x-amz-checksum-sha256`). `WHEN_REQUIRED`, for stores that refuse the header: none. Bytes that
   * change on the way are refused in both: requests are signed over the SHA-256 of their body.
   */
  readonly checksums: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED';
  /** Absent: the SDK's default chain (environment, profile, role of the machine). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /**
   * Limits of each attempt: until the connection is established, and until the answer begins (then:
   * between two chunks). Milliseconds.
   */
  readonly timeouts?: { readonly connectMs: number; readonly requestMs: number };
  /** Connections, and so requests at a time. */
  readonly maxSockets?: number;
  /** Of one call, the first included; after time-outs, connection errors, 5xx and 429. */
  readonly attempts?: number;
}

export const DEFAULT_TIMEOUTS = { connectMs: 3_000, requestMs: 30_000 };
export const DEFAULT_MAX_SOCKETS = 64;
export const DEFAULT_ATTEMPTS = 3;
