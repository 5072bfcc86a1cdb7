import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { NavLink, Outlet, ScrollRestoration, useNavigate } from "react-router";
import { Toaster } from "sonner";
import { Keyboard, LogOut, Monitor, Moon, Search, Sun } from "lucide-react";
import { about, session } from "../api/queries";
import { useLogOut } from "../api/mutations";
import { useMay } from "../hooks/useMay";
import { useKeys } from "../hooks/useKeys";
import { useTheme, type Theme } from "../hooks/useTheme";
import { Button } from "./Button";
import { KeysHelp } from "./KeysHelp";
import { LogIn } from "./LogIn";
import { Loading } from "./Empty";
import { Failure } from "./Notice";
import { Palette } from "./Palette";
import { PLACES } from "./places";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: Monitor, light: Sun, dark: Moon };

export function Layout() {
  const [open, setOpen] = useState<"keys" | "palette">();
  const navigate = useNavigate();
  const close = () => setOpen(undefined);
  useKeys({
    "?": () => setOpen("keys"),
    "mod+k": () => setOpen("palette"),
    ...Object.fromEntries(PLACES.map((place) => [place.key, () => void navigate(place.to)])),
  });
  const who = useQuery(session);
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-panel focus:p-2">
        Skip to the content
      </a>
      <Menu onSearch={() => setOpen("palette")} onKeys={() => setOpen("keys")} open={who.data?.open ?? false} loggedIn={who.data?.needed === true && who.data.open} />
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 p-3 outline-none md:p-5">
        {who.isPending ? (
          <Loading />
        ) : who.isError ? (
          <Failure error={who.error} retry={() => void who.refetch()} />
        ) : who.data.open ? (
          <Outlet />
        ) : (
          <LogIn session={who.data} />
        )}
      </main>
      <KeysHelp open={open === "keys"} onClose={close} />
      <Palette open={open === "palette" && who.data?.open === true} onClose={close} />
      <Toaster position="bottom-right" theme="system" />
      <ScrollRestoration />
    </div>
  );
}

interface MenuProps {
  onSearch: () => void;
  onKeys: () => void;
  /** Whether whoever sees it may use the API. */
  open: boolean;
  loggedIn: boolean;
}

function Menu({ onSearch, onKeys, open, loggedIn }: MenuProps) {
  const [theme, setTheme] = useTheme();
  const logOut = useLogOut();
  // What it says is for those who are let in.
  const host = useQuery({ ...about, enabled: open });
  const may = useMay();
  const ThemeIcon = ICONS[theme];
  return (
    <header className="sticky top-0 z-30 flex items-center gap-1 border-b border-line bg-panel p-2 md:h-dvh md:w-56 md:shrink-0 md:flex-col md:items-stretch md:border-r md:border-b-0 md:p-3">
      <NavLink to="/" className="hidden px-2 pb-2 font-semibold tracking-tight md:block">
        aiagent-host
      </NavLink>
      <nav aria-label="Pages" className="flex gap-0.5 md:flex-col">
        {PLACES.filter((place) => open && may.is(place.least ?? "viewer")).map(({ to, label, key, icon: Icon }) => (
          <NavLink
            key={to}
            to={to}
            end={to === "/"}
            title={`${label} (${key})`}
            className={({ isActive }) =>
              `flex items-center gap-2 rounded-md px-2 py-1.5 ${isActive ? "bg-accent-wash font-medium text-accent" : "text-soft hover:bg-sunken hover:text-ink"}`
            }
          >
            <Icon className="size-4 shrink-0" aria-hidden />
            <span className="sr-only md:not-sr-only">{label}</span>
          </NavLink>
        ))}
      </nav>
      <div className="flex-1" />
      <div className="flex gap-0.5">
        {open && (
          <Button look="quiet" className="!px-1.5" onClick={onSearch} aria-label="Go to" title="Go to (⌘K)">
            <Search className="size-4" aria-hidden />
          </Button>
        )}
        <Button look="quiet" className="!px-1.5" onClick={onKeys} aria-label="Keys" title="Keys (?)">
          <Keyboard className="size-4" aria-hidden />
        </Button>
        <Button
          look="quiet"
          className="!px-1.5"
          onClick={() => setTheme(NEXT[theme])}
          aria-label={`Theme: ${theme}`}
          title={`Theme: ${theme}`}
        >
          <ThemeIcon className="size-4" aria-hidden />
        </Button>
        {loggedIn && (
          <Button look="quiet" className="!px-1.5" onClick={() => logOut.mutate()} aria-label="Log out" title={`Log out ${may.name ?? ""}`.trim()}>
            <LogOut className="size-4" aria-hidden />
          </Button>
        )}
      </div>
      {loggedIn && (
        <p className="foreign hidden truncate px-2 pt-1 text-xs md:block" title={`${may.name ?? "somebody"}, ${may.role}`}>
          {may.name ?? "logged in"} <span className="text-soft">{may.role}</span>
        </p>
      )}
      <p className="hidden px-2 pt-1 text-xs text-soft md:block">{host.data ? `version ${host.data.version}` : "\u00a0"}</p>
    </header>
  );
}
