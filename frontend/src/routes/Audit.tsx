import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { audit } from "../api/queries";
import { Button } from "../components/Button";
import { Empty, Loading } from "../components/Empty";
import { Failure, Notice } from "../components/Notice";
import { Time } from "../components/Time";
import { useMay } from "../hooks/useMay";
import { useTitle } from "../hooks/useTitle";
import type { AuditEntry } from "../api/client";

/** Who did what: for administrators. */
export function Audit() {
  useTitle("Audit log");
  const why = useMay().why("administrator");
  return (
    <div className="space-y-3">
      <h1 className="text-lg font-semibold">
        Audit log <span className="text-sm font-normal text-soft">who submitted, cancelled, allowed and logged in</span>
      </h1>
      {why ? <Notice look="warn">{why}</Notice> : <Entries />}
    </div>
  );
}

function Entries() {
  const found = useInfiniteQuery(audit);
  if (found.isPending) return <Loading lines={6} />;
  if (found.isLoadingError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const entries = found.data.pages.flatMap((page) => page.entries);
  if (entries.length === 0) {
    return (
      <div className="panel">
        <Empty title="Nothing was done yet">Whoever submits, cancels, deletes, pauses, allows or logs in is written here.</Empty>
      </div>
    );
  }
  return (
    <>
      <div className="panel relative overflow-x-auto" tabIndex={0} role="region" aria-label="Entries">
        <table className="w-full text-left [&_td]:px-2 [&_td]:py-1.5 [&_td]:align-top sm:[&_td]:px-3 [&_th]:px-2 [&_th]:py-1.5 sm:[&_th]:px-3 [&_th]:font-medium">
          <thead className="border-b border-line text-xs text-soft">
            <tr>
              <th>When</th>
              <th>Who</th>
              <th>What</th>
              <th>Of what</th>
              <th className="hidden sm:table-cell">From</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id} className="border-b border-line last:border-0">
                <td className="text-soft">
                  <Time at={entry.at} />
                </td>
                <td>
                  <span className="foreign font-medium">{entry.who}</span>
                  {entry.role && <span className="block text-xs text-soft">{entry.role}</span>}
                </td>
                <td className={entry.what === "log-in-refused" ? "text-bad" : ""}>{entry.what.replaceAll("-", " ")}</td>
                <td>
                  <Subject entry={entry} />
                  {entry.detail && <span className="foreign block text-xs text-soft">{entry.detail}</span>}
                </td>
                <td className="foreign hidden font-mono text-xs text-soft sm:table-cell">{entry.address ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.hasNextPage && (
        <div className="text-center">
          <Button onClick={() => void found.fetchNextPage()} disabled={found.isFetchingNextPage}>
            Older entries
          </Button>
        </div>
      )}
    </>
  );
}

/** As a task's id looks. */
const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

function Subject({ entry: { subject } }: { entry: AuditEntry }) {
  if (!subject) return "–";
  if (!ID.test(subject)) return <span className="foreign">{subject}</span>;
  return (
    <Link to={`/tasks/${subject}`} className="font-mono text-accent underline" title={subject}>
      {subject.slice(-6)}
    </Link>
  );
}
