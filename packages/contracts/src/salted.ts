import type { CloudEvent } from '@residency/cloudevents';
import { salt as form } from './fields.ts';

/** The event with its salt. Throws if `salt` has another form. */
export function withSalt(event: CloudEvent, salt: string): CloudEvent {
  return { ...event, extensions: { ...event.extensions, salt: form.parse(salt) } };
}

/** Throws if the event has no salt. */
export function requireSalt({ extensions }: CloudEvent): void {
  form.parse(extensions['salt']);
}
