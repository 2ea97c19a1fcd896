export { readConfig } from './config.ts';
export type { ExporterSettings } from './config.ts';
export { startExporter } from './start-exporter.ts';
export type { ExporterDeps } from './start-exporter.ts';
