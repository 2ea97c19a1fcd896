import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPORT, apiReport } from './api-report.ts';
import { root } from './tree.ts';

writeFileSync(join(root, REPORT), apiReport());
