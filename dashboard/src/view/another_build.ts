// A tab that is older than what is served: parts that it loads later are not there any more (404). A reload brings the
// page of now.

/** Named after the page that was left: the same page does not reload again, whatever is served. */
const RELOADED = "townwatch.reloaded";

/** Loads the page anew if another build is served than this one, once. False where that would change nothing. */
export async function reloadIfOutdated(): Promise<boolean> {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.getAttribute("src");
  if (own === null || own === undefined) return false;
  try {
    if (sessionStorage.getItem(RELOADED) === own) return false;
    const answer = await fetch("/", { cache: "no-store" });
    if (!answer.ok || (await answer.text()).includes(own)) return false;
    sessionStorage.setItem(RELOADED, own);
  } catch {
    // Without a network, or a place to remember it, nothing is reloaded.
    return false;
  }
  location.reload();
  return true;
}
