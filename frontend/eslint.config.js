import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  hooks.configs.flat["recommended-latest"],
  {
    rules: {
      "no-restricted-globals": ["error", { name: "fetch", message: "ask through api/client.ts" }],
      "@typescript-eslint/no-non-null-assertion": "off",
      // The virtualiser's functions change without notice, which the compiler's lint reports.
      "react-hooks/incompatible-library": "off",
    },
  },
  { files: ["public/**"], languageOptions: { globals: { localStorage: false, matchMedia: false, document: false } } },
  { files: ["browser/**", "bench/**", "shots/**", "*.ts"], rules: { "no-restricted-globals": "off" } },
);
