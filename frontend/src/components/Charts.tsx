import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { compact, duration, money } from "../format";
import type { Group } from "../task/figures";

const AXIS = { stroke: "var(--soft)", tick: { fill: "var(--soft)", fontSize: 11 }, tickLine: false } as const;
const BOX = {
  contentStyle: { background: "var(--panel)", border: "1px solid var(--line)", borderRadius: 6, color: "var(--ink)" },
  cursor: { fill: "var(--sunken)" },
} as const;

interface Series {
  name: string;
  colour: string;
  of: (day: Group) => number | undefined;
}

interface Figure {
  title: string;
  note: string;
  series: Series[];
  show: (value: number) => string;
  /** The axis' end, where it does not follow from the figures. */
  most?: number;
}

const FIGURES: Figure[] = [
  {
    title: "Tasks by day",
    note: "green below, all others above",
    series: [
      { name: "green", colour: "var(--good)", of: (day) => day.green },
      { name: "other", colour: "var(--bad)", of: (day) => day.tasks - day.green },
    ],
    show: compact,
  },
  {
    title: "Pass rate by day",
    note: "of those that ended and nobody cancelled",
    series: [
      { name: "green", colour: "var(--good)", of: (day) => (day.ended ? (100 * day.green) / day.ended : undefined) },
    ],
    show: (value) => `${Math.round(value)} %`,
    most: 100,
  },
  {
    title: "Time to green by day",
    note: "median, from the first step",
    series: [{ name: "median", colour: "var(--accent)", of: (day) => day.medianMs }],
    show: duration,
  },
  {
    title: "Tokens by day",
    note: "input and output together",
    series: [{ name: "tokens", colour: "var(--accent)", of: (day) => day.tokens }],
    show: compact,
  },
  {
    title: "Cost by day",
    note: "by the configured prices; days with an unknown price are left out",
    series: [{ name: "cost", colour: "var(--accent)", of: (day) => day.costMicros }],
    show: money,
  },
];

/** What became of the tasks of each day, and what they took. */
export function Charts({ days }: { days: Group[] }) {
  return (
    <div className="grid gap-3 xl:grid-cols-2">
      {FIGURES.map((figure) => ({
        figure,
        rows: days.map((day) => ({
          day: day.key,
          ...Object.fromEntries(figure.series.map((series) => [series.name, series.of(day)])),
        })),
      }))
        // A chart of nothing but zeros says less than its absence.
        .filter(({ figure, rows }) => figure.series.some(({ name }) => rows.some((row) => row[name as keyof typeof row])))
        .map(({ figure, rows }) => (
          <section key={figure.title} className="panel min-w-0 p-3" aria-label={figure.title}>
            <h2 className="font-medium">
              {figure.title} <span className="font-normal text-soft">{figure.note}</span>
            </h2>
            <div className="mt-2 h-52" aria-hidden>
              <ResponsiveContainer>
                <BarChart data={rows} accessibilityLayer={false}>
                  <CartesianGrid vertical={false} stroke="var(--line)" />
                  <XAxis dataKey="day" {...AXIS} />
                  <YAxis
                    width={60}
                    allowDecimals={figure.show !== compact}
                    domain={[0, figure.most ?? "auto"]}
                    tickFormatter={figure.show}
                    {...AXIS}
                  />
                  <Tooltip {...BOX} formatter={(value) => figure.show(Number(value))} />
                  {figure.series.map(({ name, colour }) => (
                    <Bar key={name} isAnimationActive={false} dataKey={name} stackId="all" fill={colour} maxBarSize={36} />
                  ))}
                </BarChart>
              </ResponsiveContainer>
            </div>
          </section>
        ))}
    </div>
  );
}
