import type { FileData } from "react-diff-view";
import type { Span } from "../api/queries";

/** Where a task's patch is downloaded. */
export function patchUrl(id: string, span: Span = {}): string {
  const asked = Object.entries(span).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return `/api/v1/tasks/${id}/diff${asked.length ? `?${new URLSearchParams(asked)}` : ""}`;
}

export const fileName = (file: FileData) => (file.type === "delete" ? file.oldPath : file.newPath);

export function sizeOf(file: FileData): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  for (const hunk of file.hunks) {
    for (const change of hunk.changes) {
      if (change.type === "insert") added += 1;
      else if (change.type === "delete") removed += 1;
    }
  }
  return { added, removed };
}

/** Whether a patch shows a line of the new file; 0: any. */
export const hasLine = (file: FileData, line: number) =>
  line === 0 || file.hunks.some((hunk) => line >= hunk.newStart && line < hunk.newStart + hunk.newLines);

interface Size {
  added: number;
  removed: number;
}

/** More changed lines than this, of one file or of all those before it, are folded until somebody asks. */
const FOLD = { file: 400, all: 3_000 };

/** Which files begin folded. */
export function foldedAt(sizes: Size[]): boolean[] {
  let shown = 0;
  return sizes.map(({ added, removed }) => {
    const size = added + removed;
    if (size > FOLD.file || shown + size > FOLD.all) return true;
    shown += size;
    return false;
  });
}

/** A file's first hunks, as many as hold that many changes and no more. */
export function firstChanges(hunks: FileData["hunks"], most: number): { hunks: FileData["hunks"]; left: number } {
  const shown: FileData["hunks"] = [];
  let [room, left] = [most, 0];
  for (const hunk of hunks) {
    if (room > 0) shown.push(hunk.changes.length > room ? { ...hunk, changes: hunk.changes.slice(0, room) } : hunk);
    left += Math.max(0, hunk.changes.length - Math.max(0, room));
    room -= hunk.changes.length;
  }
  return { hunks: shown, left };
}
