import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["bench/**/*.figures.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 300_000,
    reporters: ["default"],
  },
});
