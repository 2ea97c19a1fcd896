import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DRAWING, draw, drawingIn } from './drawing.ts';
import { root, text } from './tree.ts';

const page = text(DRAWING);
writeFileSync(
  join(root, DRAWING),
  page.replace(`\`\`\`mermaid\n${drawingIn(page)}`, () => `\`\`\`mermaid\n${draw()}`),
);
