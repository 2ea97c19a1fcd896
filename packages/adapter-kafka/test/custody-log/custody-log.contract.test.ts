import { describeCustodyLog } from '@residency/testkit';
import { someCustody } from './some-custody.ts';

describeCustodyLog('KafkaCustodyLog', async () => {
  const { open, appendForeign, close } = await someCustody();
  return { open, appendForeign, close };
});
