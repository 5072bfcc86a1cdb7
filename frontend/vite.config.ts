import { gzipSync } from "node:zlib";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";

/** The host sends files as they are: each that gains by it also lies there gzipped. */
function gzipped(folder: string): Plugin {
  return {
    name: "gzipped",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const path = join(folder, name);
        if (!statSync(path).isFile() || !/\.(js|css|html|svg)$/.test(name)) continue;
        const plain = readFileSync(path);
        const packed = gzipSync(plain, { level: 9 });
        if (packed.length < plain.length * 0.9) writeFileSync(`${path}.gz`, packed);
      }
    },
  };
}

/** What a first visit loads, compressed: more than this is a mistake. */
const FIRST_LOAD_KB = 200;

/** Says how much script a first visit loads, and fails when it has become too much. */
function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    generateBundle(_, bundle) {
      const first = new Set<string>();
      const follow = (name: string) => {
        const chunk = bundle[name];
        if (chunk?.type !== "chunk" || first.has(name)) return;
        first.add(name);
        chunk.imports.forEach(follow);
      };
      for (const [name, chunk] of Object.entries(bundle)) if (chunk.type === "chunk" && chunk.isEntry) follow(name);
      const bytes = [...first].map((name) => {
        const chunk = bundle[name]!;
        return gzipSync(chunk.type === "chunk" ? chunk.code : chunk.source, { level: 9 }).length;
      });
      const kb = bytes.reduce((sum, one) => sum + one, 0) / 1000;
      const told = `script of a first visit: ${kb.toFixed(1)} kB compressed, of at most ${FIRST_LOAD_KB}`;
      if (kb > FIRST_LOAD_KB) this.error(told);
      process.stderr.write(`page: ${told}\n`);
    },
  };
}

/** The script that answers in a host's place, served only where it is asked for: the binary has no use for it. */
function mocked(mode: string): Plugin {
  const script = new URL("./node_modules/msw/lib/mockServiceWorker.js", import.meta.url);
  return {
    name: "mocked",
    apply: () => mode === "mock",
    configureServer: (server) => {
      server.middlewares.use("/mockServiceWorker.js", (_, answer) => {
        answer.setHeader("content-type", "text/javascript");
        answer.end(readFileSync(script));
      });
    },
  };
}

const host = process.env.AIAGENT_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss(), firstLoad(), gzipped("dist/page"), mocked(mode)],
  build: { outDir: "dist/page", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 600 },
  // `npm run dev` asks a running host for everything but the page itself; `npm run mock` asks nobody.
  server: { proxy: { "/api": host, "/readyz": host } },
}));
