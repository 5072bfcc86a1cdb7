import type { ReactElement } from "react";
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { compact } from "../format";
import type { Group } from "../task/figures";

const AXIS = { stroke: "var(--soft)", tick: { fill: "var(--soft)", fontSize: 11 }, tickLine: false } as const;
const BOX = {
  contentStyle: { background: "var(--panel)", border: "1px solid var(--line)", borderRadius: 6, color: "var(--ink)" },
  cursor: { fill: "var(--sunken)" },
} as const;

/** Outcomes and tokens by day. */
export function Charts({ days }: { days: Group[] }) {
  const rows = days.map((day) => ({ day: day.key, green: day.green, other: day.tasks - day.green, tokens: day.tokens }));
  return (
    <div className="grid gap-3 xl:grid-cols-2">
      <Chart title="Tasks by day" note="green below, all others above">
        <BarChart data={rows} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="day" {...AXIS} />
          <YAxis width={44} allowDecimals={false} {...AXIS} />
          <Tooltip {...BOX} />
          <Bar isAnimationActive={false} dataKey="green" stackId="tasks" fill="var(--good)" maxBarSize={36} />
          <Bar isAnimationActive={false} dataKey="other" stackId="tasks" fill="var(--bad)" maxBarSize={36} />
        </BarChart>
      </Chart>
      <Chart title="Tokens by day" note="input and output together">
        <BarChart data={rows} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="day" {...AXIS} />
          <YAxis width={44} tickFormatter={compact} {...AXIS} />
          <Tooltip {...BOX} />
          <Bar isAnimationActive={false} dataKey="tokens" fill="var(--accent)" maxBarSize={36} />
        </BarChart>
      </Chart>
    </div>
  );
}

function Chart({ title, note, children }: { title: string; note: string; children: ReactElement }) {
  return (
    <section className="panel min-w-0 p-3" aria-label={title}>
      <h2 className="font-medium">
        {title} <span className="font-normal text-soft">{note}</span>
      </h2>
      <div className="mt-2 h-52" aria-hidden>
        <ResponsiveContainer>{children}</ResponsiveContainer>
      </div>
    </section>
  );
}
