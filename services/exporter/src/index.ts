export { readConfig } from './config.ts';
export type { ExporterSettings } from './config.ts';
export { startExporter } from './start-exporter.ts';
export type { ExporterDeps } from './start-exporter.ts';
export { QuarantineReader } from './quarantine-reader.ts';
export type { QuarantineLog } from './quarantine-reader.ts';
