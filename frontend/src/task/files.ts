import type { DraftFile } from "../hooks/useDraft";

/** The names by which Python, JavaScript, Go and Rust projects know their tests. */
export const looksLikeTest = (path: string) =>
  /(^|\/)(test_[^/]*|[^/]*_test|[^/]*\.(test|spec))\.[a-z]+$|(^|\/)tests?\//i.test(path);

const isArchive = (name: string) => /\.(tar\.gz|tgz|tar|zip)$/i.test(name);

export async function draftFile(path: string, blob: Blob): Promise<DraftFile> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  try {
    const content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { path, content, isTest: looksLikeTest(path) };
  } catch {
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return { path, base64: btoa(binary), isTest: false };
  }
}

export interface Dropped {
  files: DraftFile[];
  archive?: File;
}

/** What was chosen in a file dialog. */
export async function fromList(list: Iterable<File>): Promise<Dropped> {
  const files: DraftFile[] = [];
  let archive: File | undefined;
  for (const file of list) {
    if (isArchive(file.name)) archive = file;
    else files.push(await draftFile(file.webkitRelativePath || file.name, file));
  }
  return { files: files.filter((file) => !inGit(file.path)), archive };
}

/** What was dropped: files, and folders with all that is in them. */
export async function fromDrop(items: DataTransferItemList): Promise<Dropped> {
  // The list is emptied as soon as this function first waits.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: { path: string; file: File }[] = [];
  for (const entry of entries) await walk(entry, found);
  const archive = found.find(({ path }) => isArchive(path))?.file;
  const plain = found.filter(({ path }) => !isArchive(path) && !inGit(path));
  return { files: await Promise.all(plain.map(({ path, file }) => draftFile(path, file))), archive };
}

const inGit = (path: string) => path.split("/").includes(".git");

async function walk(entry: FileSystemEntry, found: { path: string; file: File }[]) {
  if (entry.isFile) {
    const file = await new Promise<File>((take, fail) => (entry as FileSystemFileEntry).file(take, fail));
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((take, fail) => reader.readEntries(take, fail));
    if (batch.length === 0) return;
    for (const inner of batch) if (inner.name !== ".git") await walk(inner, found);
  }
}
