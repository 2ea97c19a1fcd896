/** A CloudEvents 1.0 attribute value as it travels: String, Integer or Boolean; the other types are written as strings. */
export type AttributeValue = string | number | boolean;

/** CloudEvents 1.0 §2, with extensions kept apart and data as bytes. `data` absent = no data (Kafka: a null value). */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly subject?: string;
  /** RFC 3339, exactly as written by the producer: cutting fractions would lose information. */
  readonly time?: string;
  readonly extensions: Readonly<Record<string, AttributeValue>>;
  readonly data?: Buffer;
}

/** A header list as Kafka carries it: ordered, names may repeat. */
export type Headers = readonly (readonly [name: string, value: Buffer])[];

/** What the Kafka binding reads and writes of a record; the key is none of its business. */
export interface KafkaContent {
  readonly headers: Headers;
  readonly value: Buffer | null;
}
