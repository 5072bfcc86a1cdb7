/** A tar archive of some files, gzipped. */
export async function packed(files: Record<string, string>): Promise<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts = Object.entries(files).flatMap(([name, text]) => {
    const body = encoder.encode(text);
    const head = new Uint8Array(512);
    const write = (text: string, at: number) => head.set(encoder.encode(text), at);
    write(name, 0);
    write("0000644", 100);
    write(body.length.toString(8).padStart(11, "0"), 124);
    write("0", 156);
    return [head, body, new Uint8Array((512 - (body.length % 512)) % 512)];
  });
  const tar = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 1024));
  let at = 0;
  for (const part of parts) {
    tar.set(part, at);
    at += part.length;
  }
  return new Response(new Response(tar).body!.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}
