import { logLevelOf } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { retryUntilReady } from '@residency/waiting';
import type { KafkaDiagnostics } from './diagnostics.ts';
import type { KafkaControlView } from './kafka-control-view.ts';
import { openKafkaLog } from './kafka-log.ts';
import type { KafkaLog } from './kafka-log.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { requireTopics } from './topics/check-topics.ts';

export interface ServiceLogOptions {
  /** The service's name in log levels, such as `router`. The client id is `residency-<service>`. */
  readonly service: string;
  readonly kafka: Omit<KafkaSettings, 'clientId'>;
  /** The regions whose custody logs the service uses. Default: none. */
  readonly regions?: readonly string[];
  readonly logger: KafkaDiagnostics & {
    setLevel(level: ReturnType<typeof logLevelOf>): void;
  };
  readonly signal: AbortSignal;
  /** Called with each error before a retry. */
  readonly waits: (error: unknown) => void;
  /** Called with each control state, after the logger's level was set. */
  readonly onControl?: (state: ControlState) => void;
}

export interface ServiceLog {
  readonly log: KafkaLog;
  readonly control: KafkaControlView;
}

/**
 * Opens the log for a service that starts. Waits until Kafka is reachable and has every topic, and
 * keeps the logger at the level in the control log. The caller closes `log`. Rejects with an error
 * that is not `retry`, or with the last error if `signal` is aborted.
 */
export async function openServiceLog({
  service,
  kafka,
  regions,
  logger,
  signal,
  waits,
  onControl,
}: ServiceLogOptions): Promise<ServiceLog> {
  const settings = { ...kafka, clientId: `residency-${service}` };
  const log = await retryUntilReady(() => openKafkaLog(settings, logger), { signal, waits });
  try {
    await retryUntilReady(() => requireTopics(settings, logger, regions), { signal, waits });
    const control = log.controlView((state) => {
      logger.setLevel(logLevelOf(state, service));
      onControl?.(state);
    });
    return { log, control };
  } catch (error) {
    await log.close();
    throw error;
  }
}
