import type { Health } from '../figures/health.ts';

interface HealthShapeProps {
  readonly health: Health;
  /** What the shape says, for those who do not see it; empty where words stand beside it. */
  readonly words: string;
}

/** Health as a shape and a colour: ● good, ▲ degraded, ■ failing, ○ no traffic, a broken ring for no data. */
export function HealthShape({ health, words }: HealthShapeProps) {
  const kind = `shape ${health}`;
  if (words === '') {
    return (
      <svg class={kind} viewBox="0 0 12 12" aria-hidden="true">
        {healthDrawing(health)}
      </svg>
    );
  }
  return (
    <svg class={kind} viewBox="0 0 12 12" role="img" aria-label={words}>
      {healthDrawing(health)}
    </svg>
  );
}

/** The shape alone, 12 by 12, to stand in a drawing. */
export function healthDrawing(health: Health) {
  switch (health) {
    case 'good':
      return <circle cx="6" cy="6" r="4" />;
    case 'warn':
      return <path d="M6 1.2 11.2 10.6H.8Z" />;
    case 'bad':
      return <rect x="1.5" y="1.5" width="9" height="9" />;
    case 'quiet':
      return <circle class="outline" cx="6" cy="6" r="3.6" />;
    case 'unknown':
      return <circle class="outline broken" cx="6" cy="6" r="4" />;
  }
}
