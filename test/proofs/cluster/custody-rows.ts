import type { Deployment } from '../../running-deployment/deployment.ts';
import { readTopic } from './kcat.ts';

/** A custody event as the topic has it. */
export interface CustodyRow {
  readonly type: string;
  /** Append time, milliseconds since the epoch. */
  readonly at: number;
  readonly data: {
    readonly order?: string;
    readonly of?: string;
    readonly submission?: string;
    readonly site?: string;
    readonly code?: string;
    readonly copy?: { readonly site: string; readonly sealedSha256: string };
    readonly setAside?: { readonly key: string; readonly sha256: string };
    readonly checked?: number;
    readonly copied?: number;
    readonly unpaid?: number;
  };
}

/** A region's custody log, read with kcat; other records than events are left out. */
export async function custodyRows(
  { env }: Deployment,
  brokers: readonly string[],
  region: string,
): Promise<readonly CustodyRow[]> {
  const topic = `${env['RESIDENCY_TOPIC_PREFIX'] ?? ''}residency.custody.${region}`;
  return (await readTopic(brokers, topic)).flatMap(({ value, at }) => custodyRow(value, at));
}

/** None, if the value is no custody event: a record that only marks the time. */
export function custodyRow(value: Uint8Array | null, at: number): readonly CustodyRow[] {
  const { type, data } = JSON.parse(
    Buffer.from(value ?? []).toString('utf8') || '{}',
  ) as Partial<CustodyRow>;
  return type === undefined || data === undefined ? [] : [{ type, at, data }];
}
