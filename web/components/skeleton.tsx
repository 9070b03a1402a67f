interface SkeletonProps {
  /** What is on its way. */
  readonly label: string;
  readonly rows: number;
}

/** The outline of a table until its rows are there. Appears only if they take longer than 300 ms. */
export function Skeleton({ label, rows }: SkeletonProps) {
  return (
    <div class="skeleton" role="status" aria-label={`Loading ${label}`}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} class="skeleton-row" />
      ))}
    </div>
  );
}
