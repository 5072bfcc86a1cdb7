import { useRef, useState } from "react";
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

export function kept(): Draft {
  try {
    return { ...EMPTY, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
}

/** Characters; a browser keeps about five million. */
const LARGEST = 4_000_000;

/** How much of a draft outlives a reload. */
export type Kept = "all" | "without files" | "nothing";

export function keep(draft: Draft): Kept {
  const tries: [Kept, () => string][] = [
    ["all", () => JSON.stringify(draft)],
    ["without files", () => JSON.stringify({ ...draft, files: [] })],
  ];
  for (const [kept, text] of tries) {
    const whole = text();
    if (whole.length > LARGEST) continue;
    try {
      localStorage.setItem(KEY, whole);
      return kept;
    } catch {
      // Its storage is full, or switched off.
    }
  }
  return "nothing";
}

/** Whoever uses this browser next is somebody else. */
export function discard() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Switched off: then there is none.
  }
}

/** What is being written survives a reload, as far as the browser has room for it. */
export function useDraft() {
  const [{ draft, stored }, set] = useState(() => ({ draft: kept(), stored: "all" as Kept }));
  const latest = useRef(draft);
  const write = (draft: Draft) => {
    latest.current = draft;
    set({ draft, stored: keep(draft) });
  };
  return { draft, change: (part: Partial<Draft>) => write({ ...latest.current, ...part }), forget: () => write(EMPTY), stored };
}
