/**
 * A CloudEvents 1.0 attribute value: String, Integer or Boolean. The other types are written as
 * strings.
 */
export type AttributeValue = string | number | boolean;

/**
 * CloudEvents 1.0 §2, with extensions in a member of their own and data as bytes. `data` absent:
 * there is no data (Kafka: a null value).
 */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly subject?: string;
  /** RFC 3339, exactly as the producer wrote it, because truncated fractions would be lost. */
  readonly time?: string;
  readonly extensions: Readonly<Record<string, AttributeValue>>;
  readonly data?: Buffer;
}

/** A header list as in Kafka: ordered, and names may repeat. */
export type Headers = readonly (readonly [name: string, value: Buffer])[];

/** The parts of a record that the Kafka binding reads and writes. It ignores the key. */
export interface KafkaContent {
  readonly headers: Headers;
  readonly value: Buffer | null;
}
