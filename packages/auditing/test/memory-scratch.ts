import type { Scratch } from '../src/ports/scratch.ts';

export class MemoryScratch implements Scratch {
  readonly parts = new Map<number, string[]>();

  write(part: number, line: string): undefined {
    const lines = this.parts.get(part) ?? [];
    lines.push(line);
    this.parts.set(part, lines);
  }

  async *read(part: number): AsyncGenerator<string> {
    yield* this.parts.get(part) ?? [];
  }
}
