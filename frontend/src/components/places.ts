import { Activity, Blocks, ListChecks, ServerCog, SquarePen } from "lucide-react";

/** The pages, in the order of the menu. */
export const PLACES = [
  { to: "/", label: "Tasks", key: "g t", icon: ListChecks },
  { to: "/submit", label: "New task", key: "n", icon: SquarePen },
  { to: "/plugins", label: "Plugins", key: "g p", icon: Blocks },
  { to: "/workers", label: "Workers and queue", key: "g w", icon: ServerCog },
  { to: "/overview", label: "Overview", key: "g o", icon: Activity },
];
