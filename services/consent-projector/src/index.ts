export { readConfig } from './config.ts';
export type { ProjectorSettings } from './config.ts';
export { orderErasures } from './order-erasures.ts';
export type { OrderErasuresDeps } from './order-erasures.ts';
export { project } from './project.ts';
export type { ProjectOptions, ProjectorProgress } from './project.ts';
export { startProjector } from './start-projector.ts';
export type { ProjectorDeps } from './start-projector.ts';
