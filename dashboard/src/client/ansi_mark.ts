// Terminal codes for those who show none; what shows them (ansi.ts) is loaded only when there are any.

export function hasAnsi(text: string): boolean {
  return text.includes("\u001b");
}

export function withoutAnsi(text: string): string {
  return text.replace(/\u001b\[[0-?]*[ -/]*[@-~]/gu, "");
}
