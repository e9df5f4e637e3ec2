// The way to the server, for parts that stand on every page of somebody who is signed in.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "../client/api.ts";

const Context = createContext<Api | null>(null);

export const ApiProvider = Context.Provider;

/** Null while nobody is signed in. */
export function useApi(): Api | null {
  return useContext(Context);
}
