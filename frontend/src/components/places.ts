import { Activity, Blocks, ListChecks, ScrollText, ServerCog, SquarePen, type LucideIcon } from "lucide-react";
import type { Role } from "../api/client";

export interface Place {
  to: string;
  label: string;
  key: string;
  icon: LucideIcon;
  /** Who may see it. */
  least?: Role;
}

/** The pages, in the order of the menu. */
export const PLACES: Place[] = [
  { to: "/", label: "Tasks", key: "g t", icon: ListChecks },
  { to: "/submit", label: "New task", key: "n", icon: SquarePen },
  { to: "/plugins", label: "Plugins", key: "g p", icon: Blocks },
  { to: "/workers", label: "Workers and queue", key: "g w", icon: ServerCog },
  { to: "/overview", label: "Overview", key: "g o", icon: Activity },
  { to: "/audit", label: "Audit log", key: "g a", icon: ScrollText, least: "administrator" },
];
