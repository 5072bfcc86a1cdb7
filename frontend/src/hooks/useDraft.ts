import { useEffect, useMemo, useState } from "react";
import type { Steps } from "../api/client";

export interface DraftFile {
  path: string;
  content?: string;
  /** In place of `content` for a file that is no text. */
  base64?: string;
  isTest: boolean;
}

export interface Draft {
  goal: string;
  pipeline: string;
  steps: Steps;
  /** Where its files come from. */
  source: "files" | "git";
  files: DraftFile[];
  gitPath: string;
  gitRevision: string;
  /** Paths of tests among files that are not on the page, one a line. */
  tests: string;
  /** Globs, one a line. */
  protected: string;
  rounds: string;
  tokens: string;
  cost: string;
  minutes: string;
  queue: string;
  priority: string;
}

export const EMPTY: Draft = {
  goal: "",
  pipeline: "",
  steps: {},
  source: "files",
  files: [],
  gitPath: "",
  gitRevision: "",
  tests: "",
  protected: "",
  rounds: "",
  tokens: "",
  cost: "",
  minutes: "",
  queue: "",
  priority: "",
};

const KEY = "draft";

function kept(): Draft {
  try {
    return { ...EMPTY, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
}

/** Characters; a browser keeps about five million. */
const LARGEST = 4_000_000;

/** What is being written survives a reload. */
export function useDraft() {
  const [draft, setDraft] = useState(kept);
  const text = useMemo(() => JSON.stringify(draft), [draft]);
  // Files too large for the browser's storage are kept on the page only.
  const whole = text.length <= LARGEST;
  useEffect(() => {
    localStorage.setItem(KEY, whole ? text : JSON.stringify({ ...draft, files: [] }));
  }, [text, whole, draft]);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  return { draft, change, forget: () => setDraft(EMPTY), whole };
}
