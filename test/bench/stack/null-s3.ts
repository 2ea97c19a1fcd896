import { TEST_SITES } from '../../stack/index.ts';
import type { S3Endpoint, StackSites } from '../../stack/index.ts';
import { Child } from './child.ts';

/**
 * All sites at an endpoint that stores nothing, in a process of its own, so that the benchmark does
 * not measure an S3 server.
 */
export class NullS3 {
  readonly sites: StackSites;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    const site: S3Endpoint = {
      endpoint: `http://127.0.0.1:${port}`,
      awsRegion: 'us-east-1',
      accessKeyId: 'bench',
      secretAccessKey: 'bench',
      pathStyle: true,
    };
    this.sites = Object.fromEntries(TEST_SITES.map((name) => [name, site])) as StackSites;
  }

  static async open(): Promise<NullS3> {
    const child = new Child('null-s3-process.ts', null);
    const { port } = await child.said<{ readonly port: number }>();
    return new NullS3(child, port);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * When the first object after this call arrives, milliseconds; `undefined` if `puts` is called
   * before one does. One call at a time.
   */
  async firstPut(): Promise<number | undefined> {
    this.#child.send({ ask: 'arm' });
    return (await this.#child.said<{ readonly firstPutAt?: number }>()).firstPutAt;
  }

  /** How many objects arrived since `firstPut` was called. */
  async puts(): Promise<number> {
    this.#child.send({ ask: 'puts' });
    return (await this.#child.said<{ readonly puts: number }>()).puts;
  }

  async close(): Promise<void> {
    await this.#child.close();
  }
}
