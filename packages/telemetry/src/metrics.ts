import type { IntakeFacts } from '@residency/observation';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { BoundedLabel } from './bounded-label.ts';
import type { MetricSource } from './metric-sources.ts';
import { controlMetrics } from './control-metrics.ts';
import type { ControlMetrics } from './control-metrics.ts';
import { custodianMetrics } from './custodian-metrics.ts';
import type { CustodianMetrics, CustodianMetricsOptions } from './custodian-metrics.ts';
import { embeddedMetrics } from './embedded-metrics.ts';
import { exporterMetrics } from './exporter-metrics.ts';
import type { ClusterNames, ExporterMetrics } from './exporter-metrics.ts';
import { httpMetrics } from './http-metrics.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { Instruments } from './instruments.ts';
import { ledgerMetrics } from './ledger-metrics.ts';
import type { LedgerMetrics } from './ledger-metrics.ts';
import { projectorMetrics } from './projector-metrics.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';
import { reconcilerMetrics } from './reconciler-metrics.ts';
import type { ReconcilerMetrics } from './reconciler-metrics.ts';
import { requestMetrics } from './request-metrics.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { routerMetrics } from './router-metrics.ts';
import type { RouterMetrics } from './router-metrics.ts';
import { vaultMetrics } from './vault-metrics.ts';
import type { VaultMetrics } from './vault-metrics.ts';
import { viewMetrics } from './view-metrics.ts';
import type { ViewsNow } from './view-metrics.ts';

export interface MetricsOptions {
  readonly service: MetricSource;
  readonly version: string;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** A service's metrics: those that every service has, and the parts that it requests, each once. */
export interface Metrics {
  /** The code of the error for which the work waits; `undefined`: it continues. */
  waiting(code: string | undefined): void;
  /** Call for each log line of level warn or error. */
  readonly logged: (code: string | undefined) => void;
  /** The deployment's regions and sites. Any other is counted as `other`. */
  routing(regions: readonly string[], sites: readonly string[]): RouterMetrics;
  /** `sites`: the deployment's sites. */
  requests(sites: readonly string[]): RequestMetrics;
  views(now: ViewsNow): void;
  control(): ControlMetrics;
  /** For a log in this process. Called before each rendering; a rejection means unknown. */
  unsettled(intake: () => Promise<IntakeFacts>): void;
  projecting(): ProjectorMetrics;
  ledger(): LedgerMetrics;
  exporting(names: ClusterNames): ExporterMetrics;
  reconciling(sites: readonly string[], regions?: readonly string[]): ReconcilerMetrics;
  custody(options: Omit<CustodianMetricsOptions, 'now'>): CustodianMetrics;
  /** Of the vaults of these regions. */
  vault(regions: readonly string[]): VaultMetrics;
  http(routes: readonly string[]): HttpMetrics;
  /** The body of `/metrics`. */
  readonly render: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Codes come from our own lists. The limit applies in case one is ever built from input. */
const MAX_CODES = 64;

/** Creates a registry of its own, so that two in one process do not mix. */
export function createMetrics({ service, version, now }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const make = new Instruments(registry);
  make.gauge('residency_build_info').set({ service, version }, 1);
  const waiting = make.gauge('residency_waiting');
  const errors = make.counter('residency_errors_total');
  const lastError = make.gauge('residency_last_error_timestamp_seconds');
  const [waitingCode, errorCode] = [
    new BoundedLabel([], MAX_CODES),
    new BoundedLabel([], MAX_CODES),
  ];
  return {
    waiting: (code) => {
      waiting.reset();
      if (code !== undefined) waiting.set({ code: waitingCode.value(code) }, 1);
    },
    logged: (code) => {
      if (code === undefined) return;
      const labels = { code: errorCode.value(code) };
      errors.inc(labels);
      lastError.set(labels, now() / 1_000);
    },
    routing: (regions, sites) => routerMetrics(make, { regions, sites, now }),
    requests: (sites) => requestMetrics(make, sites),
    views: (views) => {
      viewMetrics(make, views, now);
    },
    control: () => controlMetrics(make),
    unsettled: (intake) => {
      embeddedMetrics(make, intake, now);
    },
    projecting: () => projectorMetrics(make),
    ledger: () => ledgerMetrics(make, now),
    exporting: (names) => exporterMetrics(make, names, now),
    reconciling: (sites, regions = []) => reconcilerMetrics(make, sites, regions),
    custody: (options) => custodianMetrics(make, { ...options, now }),
    vault: (regions) => vaultMetrics(make, regions),
    http: (routes) => httpMetrics(make, routes),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
