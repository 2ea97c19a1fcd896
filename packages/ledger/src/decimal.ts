/**
 * The value of an ASCII decimal without leading zeros, if a number holds it exactly; `undefined`
 * for any other text.
 */
export function parseDecimal(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
