import { Link } from "react-router";
import { useTitle } from "../hooks/useTitle";

export function NotFound() {
  useTitle("Not found");
  return (
    <div className="space-y-3">
      <h1 className="text-lg font-semibold">There is no such page</h1>
      <Link to="/" className="text-accent underline">
        To the tasks
      </Link>
    </div>
  );
}
