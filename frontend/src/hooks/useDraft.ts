import { useEffect, useState } from "react";

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
  files: DraftFile[];
  rounds: string;
  tokens: string;
  cost: string;
  minutes: string;
}

export const EMPTY: Draft = { goal: "", pipeline: "", files: [], rounds: "", tokens: "", cost: "", minutes: "" };

const KEY = "draft";

function kept(): Draft {
  try {
    return { ...EMPTY, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
}

/** What is being written survives a reload. */
export function useDraft() {
  const [draft, setDraft] = useState(kept);
  useEffect(() => {
    try {
      localStorage.setItem(KEY, JSON.stringify(draft));
    } catch {
      // Files too large for the browser's storage are kept on the page only.
      localStorage.setItem(KEY, JSON.stringify({ ...draft, files: [] }));
    }
  }, [draft]);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  return [draft, change, () => setDraft(EMPTY)] as const;
}
