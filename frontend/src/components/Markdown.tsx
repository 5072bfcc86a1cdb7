import Render, { type Components } from "react-markdown";

const heading: Components["h1"] = ({ children }) => <p className="font-semibold">{children}</p>;

/** Headings as bold lines: the page has its own order of headings. A link says where it leads. */
const PARTS: Components = {
  h1: heading,
  h2: heading,
  h3: heading,
  h4: heading,
  h5: heading,
  h6: heading,
  a: ({ href, children }) => (
    <a href={href} rel="noreferrer" className="text-accent underline" title={href}>
      {children}
    </a>
  ),
  pre: ({ children }) => (
    <pre className="overflow-x-auto rounded-md bg-sunken p-2.5 text-xs leading-5" tabIndex={0}>
      {children}
    </pre>
  ),
  code: ({ children }) => <code className="rounded bg-sunken px-1 text-xs">{children}</code>,
  ul: ({ children }) => <ul className="list-disc pl-5">{children}</ul>,
  ol: ({ children }) => <ol className="list-decimal pl-5">{children}</ol>,
};

/** A goal as its author meant it. HTML in it stays text, and nothing is fetched. */
export default function Markdown({ text }: { text: string }) {
  return (
    <div className="foreign space-y-2">
      <Render components={PARTS} disallowedElements={["img"]}>
        {text}
      </Render>
    </div>
  );
}
