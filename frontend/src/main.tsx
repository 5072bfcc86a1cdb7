import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { QueryClientProvider } from "@tanstack/react-query";
import { createBrowserRouter, redirect, RouterProvider } from "react-router";
import { held } from "./api/held";
import { Broken } from "./components/Broken";
import { Layout } from "./components/Layout";
import { Tasks } from "./routes/Tasks";
import "./index.css";

const queries = held();

const router = createBrowserRouter([
  {
    element: <Layout />,
    errorElement: <Broken />,
    children: [
      { index: true, element: <Tasks /> },
      { path: "submit", lazy: async () => ({ Component: (await import("./routes/Submit")).Submit }) },
      { path: "tasks", loader: () => redirect("/") },
      { path: "tasks/:id", lazy: async () => ({ Component: (await import("./routes/Task")).Task }) },
      { path: "compare", lazy: async () => ({ Component: (await import("./routes/Compare")).Compare }) },
      { path: "plugins", lazy: async () => ({ Component: (await import("./routes/Plugins")).Plugins }) },
      { path: "workers", lazy: async () => ({ Component: (await import("./routes/Workers")).Workers }) },
      { path: "overview", lazy: async () => ({ Component: (await import("./routes/Overview")).Overview }) },
      { path: "audit", lazy: async () => ({ Component: (await import("./routes/Audit")).Audit }) },
      { path: "*", lazy: async () => ({ Component: (await import("./routes/NotFound")).NotFound }) },
    ],
  },
]);

// `npm run mock` shows the page without a host; a build leaves this out.
if (import.meta.env.MODE === "mock") await (await import("./mock/browser")).start();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
