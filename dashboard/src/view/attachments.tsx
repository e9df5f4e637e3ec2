// What a result gave beside text. A picture is a thumbnail that leads to the whole of it; its place is kept before it is
// there, so that nothing moves when it comes. What cannot be shown is told: what it was, how large, and why not.

import { useEffect, useState } from "preact/hooks";
import { imagePath } from "../client/api.ts";
import { attachmentWords } from "../client/attachments.ts";
import { visibleText } from "../client/visible_text.ts";
import type { Attachment } from "../protocol/protocol.ts";
import { LoopbackMark } from "./loopback_mark.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";
import { webAddress } from "./web_address.ts";

/** Further ones are shown on demand. */
const SHOWN_MAX = 6;

interface AttachmentsProps {
  /** Names the part of its row. */
  readonly name: string;
  readonly agent_id: string;
  readonly attachments: readonly Attachment[];
}

export function Attachments({ name, agent_id, attachments }: AttachmentsProps) {
  const [open, toggle] = useOpen(usePage().parts, name);
  const shown = open ? attachments : attachments.slice(0, SHOWN_MAX);
  const pictures = shown.filter((one) => one.kind === "image" && one.image_id !== undefined);
  const others = shown.filter((one) => !pictures.includes(one));
  return (
    <div class="attachments">
      {pictures.length > 0 && (
        <div class="pictures">
          {pictures.map((one, index) => (
            <Picture key={index} agent_id={agent_id} image_id={one.image_id ?? ""} words={visibleText(attachmentWords(one))} />
          ))}
        </div>
      )}
      {others.map((one, index) => (
        <Told key={index} attachment={one} />
      ))}
      {!open && attachments.length > SHOWN_MAX && (
        <button type="button" class="text-button" aria-expanded={false} onClick={toggle}>
          Show all {attachments.length}
        </button>
      )}
    </div>
  );
}

/** One that is on its way is asked for this often, a second or a little more apart. */
const TRIES_MAX = 40;

function Picture({ agent_id, image_id, words }: { agent_id: string; image_id: string; words: string }) {
  const { api, town_id } = usePage();
  const [tries, setTries] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  const [wait_ms, setWait] = useState(0);
  const path = imagePath(town_id, agent_id, image_id);

  useEffect(() => {
    if (wait_ms === 0) return undefined;
    const timer = setTimeout(() => {
      setWait(0);
      setTries(tries + 1);
    }, wait_ms);
    return () => clearTimeout(timer);
  }, [wait_ms]);

  async function ask(): Promise<void> {
    const failure = await api.imageProblem(path);
    if (failure !== null && failure.retry_after_ms > 0 && tries < TRIES_MAX) setWait(failure.retry_after_ms);
    else setProblem(failure?.message ?? "The browser cannot show this picture.");
  }

  if (problem !== null) {
    return (
      <p class="picture missing">
        <strong>{words}</strong> <span>{visibleText(problem)}</span>
      </p>
    );
  }
  return (
    <a class="picture" href={path} target="_blank" rel="noopener noreferrer" title={`${words}: show it whole`}>
      {wait_ms === 0 ? (
        <img key={tries} src={path} alt={words} width={160} height={120} loading="lazy" decoding="async" onError={() => void ask()} />
      ) : (
        <span class="soft">On its way…</span>
      )}
    </a>
  );
}

function Told({ attachment }: { attachment: Attachment }) {
  const { uri, problem } = attachment;
  const address = uri === undefined ? null : webAddress(uri);
  return (
    <p class="attachment">
      <span>{visibleText(attachmentWords(attachment))}</span>
      {problem !== undefined && <span class="soft"> {visibleText(problem)}</span>}
      {uri !== undefined &&
        (address === null ? (
          <code> {visibleText(uri)}</code>
        ) : (
          <>
            {" "}
            <a href={address} target="_blank" rel="noopener noreferrer">
              {visibleText(uri)}
            </a>
            <LoopbackMark address={address} />
          </>
        ))}
    </p>
  );
}
