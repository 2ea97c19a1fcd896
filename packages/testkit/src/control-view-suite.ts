import {
  ALL_SERVICES,
  INITIAL_CONTROL,
  INTAKE_DRAINING,
  LOG_LEVEL_SET,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  controlEntry,
} from '@residency/contracts';
import type { ControlEvent, ControlState, NewRecord } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import { eventually } from './eventually.ts';
import { SALT } from './salt.ts';

/** Control views over an empty log of their own. */
export interface ControlViewHarness {
  /** A view that has read nothing yet. */
  readonly openView: () => ControlView;
  /** Appends any record to the control log. Returns its append time once it is durable. */
  readonly append: (record: NewRecord) => Promise<number>;
  readonly close: () => Promise<void>;
}

const paused = (reason: string): ControlEvent => ({ type: ROUTING_PAUSED, data: { reason } });
const resumed: ControlEvent = { type: ROUTING_RESUMED, data: {} };

let ids = 0;
/** Appends an event and returns its append time. */
async function say({ append }: ControlViewHarness, event: ControlEvent): Promise<number> {
  return await append(controlEntry(event, `suite-${(ids += 1)}`, SALT).record);
}

/**
 * The first reading for which the condition holds. A view that has not read its log yet is asked
 * again.
 */
async function readUntil(
  view: ControlView,
  fits: (state: ControlState) => boolean,
): Promise<ControlState> {
  return await eventually(async () => {
    const state = await view.read().catch((error: unknown) => {
      expect(error).toMatchObject({ remedy: 'retry' });
    });
    return state !== undefined && fits(state) ? state : undefined;
  });
}

const BEHAVIOURS: readonly Behaviour<ControlViewHarness>[] = [
  {
    name: 'returns the configured state for an empty log',
    async check({ openView }) {
      expect(await readUntil(openView(), () => true)).toEqual(INITIAL_CONTROL);
    },
  },
  {
    name: 'returns no state before it has read everything that was in the log when it was opened',
    async check(harness) {
      for (let pause = 1; pause <= 50; pause += 1) await say(harness, paused(`pause ${pause}`));
      const since = await say(harness, {
        type: INTAKE_DRAINING,
        data: { reason: 'the last word' },
      });
      expect(await readUntil(harness.openView(), () => true)).toEqual({
        mode: 'draining',
        reason: 'the last word',
        since,
        logLevels: {},
      });
    },
  },
  {
    name: 'sees events appended after it was opened, and all views of a log reach the same state',
    async check(harness) {
      const view = harness.openView();
      await readUntil(view, () => true);
      const since = await say(harness, paused('why'));
      expect(await readUntil(view, ({ mode }) => mode === 'paused')).toEqual({
        mode: 'paused',
        reason: 'why',
        since,
        logLevels: {},
      });
      const again = await say(harness, resumed);
      const after = await readUntil(view, ({ mode }) => mode === 'running');
      expect(after).toEqual({ mode: 'running', since: again, logLevels: {} });
      expect(await readUntil(harness.openView(), () => true)).toEqual(after);
    },
  },
  {
    name: 'skips a record that is not a control event and continues behind it',
    async check(harness) {
      await say(harness, paused('before'));
      await harness.append({
        key: Buffer.from('bad'),
        headers: [],
        value: Buffer.from('no event'),
      });
      await harness.append({ key: Buffer.from('gone'), headers: [], value: null });
      const since = await say(harness, paused('behind'));
      expect(await readUntil(harness.openView(), () => true)).toMatchObject({
        mode: 'paused',
        reason: 'behind',
        since,
      });
    },
  },
  {
    name: 'keeps log levels beside a pause; a level for all services replaces those for one',
    async check(harness) {
      const level = (service: string, to: 'debug' | 'warn' | 'default'): Promise<number> =>
        say(harness, { type: LOG_LEVEL_SET, data: { service, level: to } });
      const view = harness.openView();
      await level('router', 'debug');
      await say(harness, paused('why'));
      expect(await readUntil(view, ({ mode }) => mode === 'paused')).toMatchObject({
        reason: 'why',
        logLevels: { router: 'debug' },
      });
      await level(ALL_SERVICES, 'warn');
      expect(
        await readUntil(view, ({ logLevels }) => logLevels[ALL_SERVICES] === 'warn'),
      ).toMatchObject({ mode: 'paused', logLevels: { all: 'warn' } });
      await level(ALL_SERVICES, 'default');
      expect(
        await readUntil(view, ({ logLevels }) => logLevels[ALL_SERVICES] === undefined),
      ).toMatchObject({ mode: 'paused', logLevels: {} });
    },
  },
  {
    name: 'never returns to an older state, however many reads are concurrent',
    async check(harness) {
      const view = harness.openView();
      await readUntil(view, () => true);
      const times: number[] = [];
      for (let pause = 1; pause <= 10; pause += 1) {
        const said = say(harness, paused(`pause ${pause}`));
        const states = await Promise.all([
          view.read(),
          view.read(),
          said.then(() => view.read()),
          view.read(),
        ]);
        times.push(...states.map(({ since = 0 }) => since).toSorted((a, b) => a - b));
        await said;
      }
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(await readUntil(view, ({ reason }) => reason === 'pause 10')).toMatchObject({
        mode: 'paused',
      });
    },
  },
];

/**
 * The contract of the `ControlView` port. `open` returns a harness over a log that nobody else
 * uses.
 */
export function describeControlView(
  adapter: string,
  open: () => Promise<ControlViewHarness>,
): void {
  describeBehaviours(adapter, 'ControlView', BEHAVIOURS, open);
}
