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
  plugins: [react(), tailwindcss(), gzipped("dist/page"), mocked(mode)],
  build: { outDir: "dist/page", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 600 },
  // `npm run dev` asks a running host for everything but the page itself; `npm run mock` asks nobody.
  server: { proxy: { "/api": host, "/readyz": host } },
}));
