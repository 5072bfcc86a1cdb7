import { Bar, BarChart, CartesianGrid, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import type { OverviewDay } from "../api/client";
import { compact, duration, money } from "../format";
import { groups, type Group } from "../task/figures";
import { grouped } from "../task/grouped";

const AXIS = { stroke: "var(--soft)", tick: { fill: "var(--soft)", fontSize: 11 }, tickLine: false } as const;
const BOX = {
  contentStyle: { background: "var(--panel)", border: "1px solid var(--line)", borderRadius: 6, color: "var(--ink)" },
  cursor: { fill: "var(--sunken)", stroke: "var(--line)" },
} as const;
/** Of the parts, in the order in which they come up; what is beyond is added up as the last. */
const COLOURS = ["var(--chart-1)", "var(--chart-2)", "var(--chart-3)", "var(--chart-4)", "var(--chart-5)"];
const OTHERS = "others";

interface Figure {
  title: string;
  note: string;
  /** Amounts are piled up, rates and times are not. */
  piled: boolean;
  of: (group: Group) => number | undefined;
  show: (value: number) => string;
  /** The axis' end, where it does not follow from the figures. */
  most?: number;
}

const FIGURES: Figure[] = [
  { title: "Throughput", note: "tasks ended a day", piled: true, of: (group) => group.ended, show: compact },
  {
    title: "Pass rate",
    note: "green of those that ended",
    piled: false,
    of: (group) => (group.ended ? (100 * group.green) / group.ended : undefined),
    show: (value) => `${Math.round(value)} %`,
    most: 100,
  },
  { title: "Time to green", note: "median, from the first step", piled: false, of: (group) => group.p50, show: duration },
  { title: "Tokens", note: "input and output together", piled: true, of: (group) => group.tokens, show: compact },
  { title: "Cost", note: "of tasks whose price is known", piled: true, of: (group) => group.costMicros, show: money },
];

interface Props {
  rows: OverviewDay[];
  days: string[];
  partOf: (row: OverviewDay) => string;
}

/** Each day's tasks, told apart by pipeline or model. The tables below say the same in figures. */
export function Charts({ rows, days, partOf }: Props) {
  const bySize = groups(rows, partOf).toSorted((a, b) => b.ended - a.ended);
  const named = new Set(bySize.slice(0, bySize.length > COLOURS.length ? COLOURS.length - 1 : COLOURS.length).map((one) => one.key));
  const shownAs = (row: OverviewDay) => (named.has(partOf(row)) ? partOf(row) : OTHERS);
  const parts = [...named, ...(bySize.length > named.size ? [OTHERS] : [])];
  const byDay = grouped(rows, (row) => row.day);
  const table = days.map((day) => ({ day, parts: new Map(groups(byDay.get(day) ?? [], shownAs).map((one) => [one.key, one])) }));
  return (
    <div className="grid gap-3 xl:grid-cols-2">
      {FIGURES.map((figure) => ({
        figure,
        // Parts by their place: a name may be anything, also a path into an object.
        points: table.map(({ day, parts: there }) => ({
          day: day.slice(5),
          ...Object.fromEntries(
            parts.map((part, at) => {
              const group = there.get(part);
              return [`part${at}`, group ? figure.of(group) : figure.piled ? 0 : undefined];
            }),
          ),
        })),
      }))
        // A chart of nothing but zeros says less than its absence.
        .filter(({ points }) => points.some((point) => Object.entries(point).some(([name, value]) => name !== "day" && Boolean(value))))
        .map(({ figure, points }) => (
          <section key={figure.title} className="panel min-w-0 p-3" aria-label={`${figure.title} by day`}>
            <h2 className="font-medium">
              {figure.title} by day <span className="font-normal text-soft">{figure.note}</span>
            </h2>
            <div className="mt-2 h-56 overflow-hidden" aria-hidden>
              <ResponsiveContainer>{chart(figure, points, parts)}</ResponsiveContainer>
            </div>
          </section>
        ))}
    </div>
  );
}

function chart({ piled, show, most }: Figure, points: object[], parts: string[]) {
  const common = [
    <CartesianGrid key="grid" vertical={false} stroke="var(--line)" />,
    <XAxis key="x" dataKey="day" {...AXIS} />,
    <YAxis key="y" width={60} allowDecimals={show !== compact} domain={[0, most ?? "auto"]} tickFormatter={show} {...AXIS} />,
    <Tooltip key="tip" {...BOX} formatter={(value) => show(Number(value))} />,
    ...(parts.length > 1 ? [<Legend key="legend" wrapperStyle={{ fontSize: 12 }} />] : []),
  ];
  if (piled) {
    return (
      <BarChart data={points} accessibilityLayer={false}>
        {common}
        {parts.map((name, at) => (
          <Bar key={name} name={name} dataKey={`part${at}`} stackId="all" fill={COLOURS[at]} isAnimationActive={false} maxBarSize={36} />
        ))}
      </BarChart>
    );
  }
  return (
    <LineChart data={points} accessibilityLayer={false}>
      {common}
      {parts.map((name, at) => (
        <Line key={name} name={name} dataKey={`part${at}`} stroke={COLOURS[at]} strokeWidth={2} dot={{ r: 2.5 }} isAnimationActive={false} connectNulls />
      ))}
    </LineChart>
  );
}
