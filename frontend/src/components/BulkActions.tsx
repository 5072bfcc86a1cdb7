import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Deed } from "../api/client";
import { matching } from "../api/queries";
import { plural } from "../format";
import type { Wish } from "../task/filter";
import { useMay } from "../hooks/useMay";
import { Ask, WORDS } from "./Ask";
import { Button, buttonLook } from "./Button";

interface Props {
  selected: ReadonlySet<string>;
  /** Whether there are more tasks than are shown. */
  more: boolean;
  wish: Wish;
  onDone: () => void;
}

/** Acts on what is selected, after saying how many tasks that are. */
export function BulkActions({ selected, more, wish, onDone }: Props) {
  // Holds for one selection and one wish: another means what it shows.
  const [of, setOf] = useState<{ selected: ReadonlySet<string>; wish: Wish }>();
  const every = of?.selected === selected && of.wish === wish;
  const [asked, setAsked] = useState<Deed>();
  const found = useQuery({ ...matching(wish), enabled: every });
  const why = useMay().why("submitter");
  if (selected.size === 0 && !asked) return null;
  const number = every ? found.data?.count : selected.size;
  const named = number === undefined ? "…" : plural(number, "task");
  const pair = [...selected];
  return (
    <>
      {selected.size > 0 && (
        <div
          className="sticky bottom-2 z-20 flex flex-wrap items-center gap-1.5 rounded-md border border-line bg-accent-wash px-3 py-1.5 shadow-lg"
          role="region"
          aria-label="Selection"
        >
          <span className="font-medium" aria-live="polite">
            {every && found.data && !found.data.exact && "more than "}
            {named} selected
          </span>
          {every && found.isError && <span className="text-bad">They can't be counted: {found.error.message}</span>}
          {!every && more && (
            <Button look="quiet" onClick={() => setOf({ selected, wish })}>
              Select all that match
            </Button>
          )}
          {(Object.keys(WORDS) as Deed[]).map((deed) => (
            <Button
              key={deed}
              look={WORDS[deed].look === "bad" ? "bad" : "plain"}
              refused={why}
              disabled={number === undefined}
              onClick={() => setAsked(deed)}
            >
              {WORDS[deed].button}
            </Button>
          ))}
          {pair.length === 2 && !every && (
            <Link to={`/compare?left=${pair[0]}&right=${pair[1]}`} className={buttonLook()}>
              Compare
            </Link>
          )}
          <Button look="quiet" onClick={onDone}>
            Clear selection
          </Button>
        </div>
      )}
      {asked && number !== undefined && (
        <Ask
          deed={asked}
          ids={every ? undefined : [...selected]}
          wish={wish}
          number={number}
          onClose={() => setAsked(undefined)}
          onDone={onDone}
        />
      )}
    </>
  );
}
