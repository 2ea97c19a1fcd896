import { describeCustodyLog } from '@residency/testkit';
import { someCustody } from './some-custody.ts';

describeCustodyLog('KafkaCustodyLog', async () => {
  const { log, open, appendForeign, close } = await someCustody();
  return {
    open,
    reading: async (region) => log.custodyRecords(region),
    appendForeign,
    close,
  };
});
