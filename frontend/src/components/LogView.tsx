import { memo, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, Maximize2, Minimize2, WrapText } from "lucide-react";
import { count, utc } from "../format";
import { useKeys } from "../hooks/useKeys";
import { save } from "../save";
import { plain } from "../task/ansi";
import { LEVELS, Sieve } from "../task/sieve";
import type { Level, Line } from "../task/story";
import { Ansi } from "./Ansi";
import { Button } from "./Button";
import { Copy } from "./Copy";
import { Empty } from "./Empty";

const COLOURS: Record<Level, string> = {
  trace: "text-soft",
  debug: "text-soft",
  info: "text-ink",
  warn: "text-warn",
  error: "text-bad",
};

/** Of one line; a browser takes seconds to lay out a line of a megabyte. */
const LINE_SHOWN = 4_000;
/** In pixels: a line number is a link, and a finger needs this much. */
const ROW = 24;

interface Props {
  /** Of the file that is downloaded. */
  name: string;
  lines: Line[];
  live: boolean;
}

const asText = (lines: readonly Line[]) =>
  lines.map((line) => `${utc(line.at)} ${line.level.padEnd(5)} ${line.source}: ${plain(line.text)}`).join("\n");

export function LogView({ name, lines, live }: Props) {
  const [search, setSearch] = useState("");
  const [least, setLeast] = useState<Level>("debug");
  const [wrap, setWrap] = useState(false);
  const [marked, setMarked] = useState(() => Number(/^#L(\d+)$/.exec(location.hash)?.[1] ?? 0));
  const [follow, setFollow] = useState(live && !marked);
  const [full, setFull] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  const length = lines.length;
  const wanted = useDeferredValue(search);
  const sieve = useMemo(() => new Sieve(lines, wanted, least), [lines, wanted, least]);
  const shown = sieve.upTo(length);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => pane.current,
    estimateSize: () => ROW,
    overscan: 5,
  });
  useKeys({ "/": () => field.current?.focus() });
  // What was measured while lines wrapped does not hold any more.
  useEffect(() => rows.measure(), [wrap, rows]);
  const last = shown.length - 1;
  useEffect(() => {
    if (follow && last >= 0) rows.scrollToIndex(last, { align: "end" });
  }, [follow, last, rows]);
  useEffect(() => {
    const at = marked ? shown.findIndex((line) => line.number === marked) : -1;
    if (at >= 0) rows.scrollToIndex(at, { align: "center" });
    // Only when the mark moves, or its line has come: the log grows beneath it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [marked, length >= marked]);

  const mark = useCallback((number: number) => {
    setFollow(false);
    setMarked(number);
    history.replaceState(history.state, "", `#L${number}`);
  }, []);
  const download = () => save(`${name}.log`, new Blob([asText(lines)], { type: "text/plain" }));
  return (
    <section
      aria-label="Log"
      className={`panel flex flex-col ${full ? "fixed inset-0 z-40 rounded-none" : "h-[70vh] min-h-80"}`}
      onKeyDown={(event) => event.key === "Escape" && setFull(false)}
    >
      <header className="flex flex-wrap items-center gap-1.5 border-b border-line p-1.5">
        <input
          ref={field}
          type="search"
          aria-label="Search the log"
          placeholder="Search the whole log ( / )"
          className="field min-w-40 flex-1"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <select
          aria-label="Least level"
          className="field"
          value={least}
          onChange={(event) => setLeast(event.target.value as Level)}
        >
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {level} and above
            </option>
          ))}
        </select>
        <span className="text-xs text-soft tabular-nums" aria-live="polite">
          {shown.length === length ? count(length) : `${count(shown.length)} of ${count(length)}`} lines
        </span>
        <Button look="quiet" aria-pressed={follow} onClick={() => setFollow(!follow)} title="Follow the end">
          <ArrowDownToLine className={`size-4 ${follow ? "text-accent" : ""}`} aria-hidden /> Follow
        </Button>
        <Button look="quiet" aria-pressed={wrap} onClick={() => setWrap(!wrap)} title="Wrap long lines">
          <WrapText className={`size-4 ${wrap ? "text-accent" : ""}`} aria-hidden /> Wrap
        </Button>
        <Copy text={() => asText(shown)} label="Copy what is shown" />
        <Button look="quiet" onClick={download}>
          Download
        </Button>
        <Button look="quiet" onClick={() => setFull(!full)} aria-label={full ? "Leave full screen" : "Full screen"}>
          {full ? <Minimize2 className="size-4" aria-hidden /> : <Maximize2 className="size-4" aria-hidden />}
        </Button>
      </header>
      {shown.length === 0 && <Empty title={length ? "No line is like that" : "Nothing was logged yet"} />}
      <div
        ref={pane}
        tabIndex={0}
        role="region"
        aria-label="Lines"
        className="min-h-0 flex-1 overflow-auto font-mono text-xs contain-content"
        onWheel={(event) => event.deltaY < 0 && setFollow(false)}
        onTouchMove={() => setFollow(false)}
        onKeyDown={(event) => ["ArrowUp", "PageUp", "Home"].includes(event.key) && setFollow(false)}
      >
        <div className="relative" style={{ height: rows.getTotalSize(), minWidth: wrap ? undefined : "max-content" }}>
          {rows.getVirtualItems().map((item) => {
            const line = shown[item.index]!;
            return (
              <div
                key={line.number}
                data-index={item.index}
                // Lines that do not wrap are all of one height, and measuring costs frames.
                ref={wrap ? rows.measureElement : undefined}
                className="absolute top-0 left-0 w-full"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Row line={line} marked={line.number === marked} wrap={wrap} onMark={mark} />
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

interface RowProps {
  line: Line;
  marked: boolean;
  wrap: boolean;
  onMark: (number: number) => void;
}

const Row = memo(function Row({ line, marked, wrap, onMark }: RowProps) {
  return (
    <div className={`flex leading-[24px] ${marked ? "bg-warn-wash" : "hover:bg-sunken"}`}>
      <a
        href={`#L${line.number}`}
        // Its exact time costs too much to be written for every line that flies by.
        onMouseEnter={(event) => (event.currentTarget.title = utc(line.at))}
        onClick={(event) => {
          event.preventDefault();
          onMark(line.number);
        }}
        className="w-10 shrink-0 sm:w-14 pr-2 text-right text-soft tabular-nums select-none hover:text-accent"
      >
        {line.number}
      </a>
      <span className="w-16 shrink-0 sm:w-28 truncate pr-2 text-soft select-none">{line.source}</span>
      <span className={`${COLOURS[line.level]} ${wrap ? "foreign whitespace-pre-wrap" : "whitespace-pre"}`}>
        <bdi>
          <Ansi text={line.text.slice(0, LINE_SHOWN) || " "} />
        </bdi>
        {line.text.length > LINE_SHOWN && (
          <span className="text-soft"> … {count(line.text.length - LINE_SHOWN)} more characters</span>
        )}
      </span>
    </div>
  );
});
