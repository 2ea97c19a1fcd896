export type { AttributeValue, CloudEvent, Headers, KafkaContent } from './cloud-event.ts';
