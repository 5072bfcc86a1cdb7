/** One file of an archive. */
export interface Packed {
  path: string;
  bytes: Uint8Array;
  executable: boolean;
}

const BLOCK = 512;
const text = new TextDecoder();

export async function gunzipped(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const plain = new Response(bytes).body!.pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).arrayBuffer();
}

/** The files of a tar archive, long names included; views of the buffer, not copies. */
export function untarred(buffer: ArrayBuffer): Packed[] {
  const all = new Uint8Array(buffer);
  const files: Packed[] = [];
  let long: string | undefined;
  for (let at = 0; at + BLOCK <= all.length; ) {
    const head = all.subarray(at, at + BLOCK);
    if (head[0] === 0) break;
    const field = (from: number, length: number) => text.decode(head.subarray(from, from + length)).replace(/\0.*$/s, "");
    const size = parseInt(field(124, 12).trim() || "0", 8);
    const body = all.subarray(at + BLOCK, at + BLOCK + size);
    const kind = String.fromCharCode(head[156] ?? 0);
    if (kind === "L") long = text.decode(body).replace(/\0.*$/s, "");
    else if (kind === "x") long = paxPath(body) ?? long;
    else {
      const prefix = field(257, 5) === "ustar" && !field(257, 8).startsWith("ustar  ") ? field(345, 155) : "";
      const path = long ?? (prefix ? `${prefix}/${field(0, 100)}` : field(0, 100));
      if (kind === "0" || kind === "\0") {
        files.push({ path: path.replace(/^\.\//, ""), bytes: body, executable: (parseInt(field(100, 8), 8) & 0o111) !== 0 });
      }
      long = undefined;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/** Records of `LENGTH KEY=VALUE\n`, the length in bytes and of the whole record. */
function paxPath(body: Uint8Array): string | undefined {
  for (let at = 0; at < body.length; ) {
    const length = parseInt(text.decode(body.subarray(at, at + 12)), 10);
    if (!length) return undefined;
    const record = text.decode(body.subarray(at, at + length - 1));
    const path = /^\d+ path=(.*)$/s.exec(record)?.[1];
    if (path !== undefined) return path;
    at += length;
  }
  return undefined;
}

/** The names in a zip archive, from the directory at its end. */
export function zipped(buffer: ArrayBuffer): string[] {
  const view = new DataView(buffer);
  const END = 0x06054b50;
  let end = buffer.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end -= 1;
  if (end < 0) return [];
  const names: string[] = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0 && at + 46 <= buffer.byteLength; left--) {
    const length = view.getUint16(at + 28, true);
    names.push(text.decode(new Uint8Array(buffer, at + 46, length)));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return names.filter((name) => !name.endsWith("/"));
}

/** What an archive holds, by the names its files will have: a single folder at its top is left out. */
export async function namesIn(archive: File): Promise<string[]> {
  const bytes = await archive.arrayBuffer();
  const names = archive.name.toLowerCase().endsWith(".zip")
    ? zipped(bytes)
    : untarred(/gz$/i.test(archive.name) ? await gunzipped(bytes) : bytes).map((file) => file.path);
  const top = names[0]?.split("/")[0];
  const strip = names.every((name) => name.startsWith(`${top}/`));
  return strip ? names.map((name) => name.slice(top!.length + 1)) : names;
}
