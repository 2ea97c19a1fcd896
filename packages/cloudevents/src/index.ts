export type { AttributeValue, CloudEvent, Headers, KafkaContent } from './cloud-event.ts';
export { CLOUD_EVENT_ERROR_CODES, CloudEventError } from './cloud-event-error.ts';
export type { CloudEventErrorCode } from './cloud-event-error.ts';
export { decodeHttp, encodeHttpBatch, encodeHttpBinary, encodeHttpStructured } from './http.ts';
export type { HttpContent, HttpEvents, HttpLimits } from './http.ts';
export { JsonTokens, MAX_JSON_TOKENS } from './json-tokens.ts';
export { decodeKafka, encodeKafkaBinary, encodeKafkaStructured } from './kafka.ts';
export { isCloudEventsType } from './media-type.ts';
