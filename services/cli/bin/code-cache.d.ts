type Environment = Readonly<Record<string, string | undefined>>;
export function codeCacheFolder(env: Environment): string;
export function isOurs(folder: string): boolean;
export function keepCompiledCode(env: Record<string, string | undefined>): void;
