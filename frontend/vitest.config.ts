import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
    // Begins sooner than a process for each file.
    pool: "threads",
    // Whole pages, on machines that have other things to do.
    testTimeout: 30_000,
  },
});
