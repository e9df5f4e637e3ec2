// Characters that turn text around or hide in it are shown by their names, so that what one reads is what is there:
// `\u202e` makes "gpj.exe" of "exe.jpg". Half a pair of surrogates would be shown as any other unreadable character.

const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu;

export function visibleText(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    // Control characters have pictures of their own: ␛ for escape.
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}
