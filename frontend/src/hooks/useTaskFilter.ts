import { useMemo } from "react";
import { wishOf } from "../task/filter";
import { useAddress } from "./useAddress";

const NAMES = ["text", "state", "outcome", "pipeline", "model", "plugin", "since", "until", "parent", "dead"];

/** The filter of the task list; it lives in the URL, so that it can be sent to somebody. */
export function useTaskFilter() {
  const [params, set] = useAddress();
  const text = params.toString();
  return {
    /** The same object while the address is the same. */
    wish: useMemo(() => wishOf(new URLSearchParams(text)), [text]),
    params,
    set,
    clear: () => set(Object.fromEntries(NAMES.map((name) => [name, ""]))),
    isSet: NAMES.some((name) => params.has(name)),
  };
}
