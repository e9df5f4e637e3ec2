// Parts of the page that the first view does without: they come when they are needed, or in a quiet moment before that.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { reloadIfOutdated } from "./another_build.ts";
import { Problem } from "./message.tsx";

export interface Later<Props> {
  (props: Props): preact.VNode | null;
  /** Has it come before it is needed. What fails is tried again when it is. */
  readonly prepare: () => void;
}

/** A part that is loaded once; until it is here, nothing stands in its place. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): Later<Props> {
  let Part: ComponentType<Props> | null = null;
  let coming: Promise<void> | null = null;

  function fetched(): Promise<void> {
    coming ??= load().then(
      (loaded) => void (Part = loaded),
      (failure: unknown) => {
        coming = null;
        throw failure;
      },
    );
    return coming;
  }

  function LaterPart(props: Props) {
    const [stands, setStands] = useState<"coming" | "here" | "failed">(Part === null ? "coming" : "here");
    const failed = async (): Promise<void> => {
      if (!(await reloadIfOutdated())) setStands("failed");
    };
    useEffect(() => {
      if (stands === "coming") fetched().then(() => setStands("here"), failed);
    }, []);
    if (Part !== null) return <Part {...props} />;
    return stands === "failed" ? <Problem text="A part of this page did not come over the network. Reload the page to try again." /> : null;
  }

  return Object.assign(LaterPart, { prepare: () => void fetched().catch(() => {}) });
}
