import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack } from '../../stack/index.ts';
import { readTopic } from '../cluster/kcat.ts';

/** A custody event as kcat reads it. */
export interface CustodyRow {
  readonly type: string;
  readonly sequence: string;
  readonly bytes: Buffer;
  readonly data: {
    readonly previous: string | null;
    readonly of?: string;
    readonly copy?: { readonly site: string; readonly sealedSha256: string };
  };
}

export interface CustodyEvidence {
  readonly rows: readonly CustodyRow[];
  /** Those of copies that were made. */
  readonly copies: readonly CustodyRow[];
  /** The first `arbiter.changed` event of each change. */
  readonly changes: readonly {
    readonly act: string;
    readonly claims: number;
    readonly unheld: number;
  }[];
}

type Change = CustodyEvidence['changes'][number];

interface ControlRow {
  readonly type: string;
  readonly data?: Change;
  readonly data_base64?: string;
}

function dataOf({ data, data_base64: base64 = '' }: Omit<ControlRow, 'type'>): Change {
  return data ?? (JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as Change);
}

/** Zurich's custody log and the changes of its arbiter, without code of the product. */
export async function custodyEvidence(
  { kafka: { brokers } }: OwnStack,
  { env }: Deployment,
): Promise<CustodyEvidence> {
  const prefix = env['RESIDENCY_TOPIC_PREFIX'] ?? '';
  const rows = (await readTopic(brokers, `${prefix}residency.custody.zurich`)).map(({ value }) => ({
    ...(JSON.parse(String(value)) as Omit<CustodyRow, 'bytes'>),
    bytes: value ?? Buffer.alloc(0),
  }));
  const changed = (await readTopic(brokers, `${prefix}residency.control`)).flatMap(({ value }) => {
    const { type, ...event } = JSON.parse(String(value)) as ControlRow;
    return type === 'residency.arbiter.changed.v1' ? [dataOf(event)] : [];
  });
  return {
    rows,
    copies: rows.filter(({ type }) => type === 'residency.sample.copied.v1'),
    changes: [...Map.groupBy(changed, ({ act }) => act).values()].flatMap((some) =>
      some.slice(0, 1),
    ),
  };
}
