import { Option } from 'commander';

/** What becomes of stored samples when their consent is withdrawn (docs/decisions/0050). */
export function onWithdrawal(): Option {
  return new Option(
    '--on-withdrawal <what>',
    'what becomes of the stored samples of a withdrawn consent; erase: of earlier withdrawals too',
  )
    .choices(['keep', 'erase'])
    .default('keep');
}
