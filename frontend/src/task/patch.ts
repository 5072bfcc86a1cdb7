import type { FileData } from "react-diff-view";

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
