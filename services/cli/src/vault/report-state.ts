import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';
import type { AccessState, VaultAnswer } from './vault-client.ts';

/** Prints what an access is by now, or why it is refused. */
export async function reportState(
  { output }: Session,
  { json }: Pick<Common, 'json'>,
  { access, answer }: { readonly access: string; readonly answer: VaultAnswer<AccessState> },
): Promise<ExitCode> {
  if (answer.kind === 'refused') {
    const { code, detail } = answer;
    if (json) await output.json({ access, state: 'refused', code });
    output.note(`Refused: access ${access}: ${detail} (${code})`);
    return EXIT.found;
  }
  if (json) await output.json(answer.value);
  else await output.line(sentenceOf(answer.value));
  return EXIT.done;
}

function sentenceOf({ access, missingApprovals, until }: AccessState): string {
  return missingApprovals > 0
    ? `Access ${access} waits for ${counted(missingApprovals, 'approval')}, until ${until}.`
    : `Access ${access} needs no further approval; \`residency sample get --access ${access} --out DIR\` gets the sample until ${until}.`;
}
