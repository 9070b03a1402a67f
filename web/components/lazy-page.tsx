import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Notice } from './notice.tsx';
import { Skeleton } from './skeleton.tsx';

interface LazyPageProps {
  /** What is on its way. */
  readonly label: string;
  load(): Promise<ComponentType>;
}

/** A page whose code comes when it is first opened. */
export function LazyPage({ label, load }: LazyPageProps) {
  const [Page, setPage] = useState<ComponentType | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (loaded) => setPage(() => loaded),
      () => setFailed(true),
    );
  }, []);
  if (Page) return <Page />;
  if (!failed) return <Skeleton label={label} rows={8} />;
  return (
    <Notice kind="bad" title="This page could not be loaded">
      <p>
        Its code did not come: the collector does not answer, or was replaced by another version. Load the page anew.
      </p>
    </Notice>
  );
}
