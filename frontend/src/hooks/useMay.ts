import { useQuery } from "@tanstack/react-query";
import { session } from "../api/queries";
import type { Role } from "../api/client";

const RANK: Record<Role, number> = { viewer: 0, submitter: 1, administrator: 2 };
const A: Record<Role, string> = { viewer: "a viewer", submitter: "a submitter", administrator: "an administrator" };

/** What whoever is logged in may do. A host without a log-in lets everybody do everything. */
export function useMay() {
  const { data } = useQuery(session);
  const role = data?.role ?? "administrator";
  const is = (least: Role) => RANK[role] >= RANK[least];
  return {
    name: data?.name ?? undefined,
    role,
    is,
    /** Why not; `undefined` where it is allowed. */
    why: (least: Role) => (is(least) ? undefined : `It takes ${A[least]}; you are ${A[role]}.`),
    /** As `why`, of adding, allowing and removing plugins. */
    whyNotPlugins: !is("administrator")
      ? `It takes ${A.administrator}; you are ${A[role]}.`
      : data?.may_change_plugins
        ? undefined
        : "This host takes no plugins from the page. Its operator can set api.change_plugins = true.",
  };
}
