import type { ChartData } from '../charts/chart-data.ts';
import { type Size, sparklineShape } from '../charts/sparkline-shape.ts';
import { explainedByPointer } from './explained.ts';

interface SparklineProps {
  readonly trend: ChartData | null;
  /** What it shows, in words, with its range. */
  readonly words: string;
  readonly kind: 'rate' | 'p99';
  readonly size?: Size;
}

const USUAL_SIZE: Size = { width: 96, height: 22 };
const GAP_HEIGHT = 5;

/** A trend without axes. A gap is a gap with a hatched floor; a zero runs along the floor. */
export function Sparkline({ trend, words, kind, size = USUAL_SIZE }: SparklineProps) {
  if (!trend || trend.times.length === 0) return <span class="sparkline-missing" {...explainedByPointer(words)} />;
  const { line, dots, gaps } = sparklineShape(trend, size);
  const { width, height } = size;
  return (
    <svg
      class={`sparkline ${kind}`}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={words}
      data-hint={words}
    >
      <path class="floor" d={`M0 ${height - 0.5}H${width}`} />
      {gaps.map((gap) => (
        <rect key={gap.x} class="gap" x={gap.x} y={height - GAP_HEIGHT} width={gap.width} height={GAP_HEIGHT} />
      ))}
      <path class="line" d={line} />
      {dots.map((dot) => (
        <circle key={dot.x} class="dot" cx={dot.x} cy={dot.y} r="1.3" />
      ))}
    </svg>
  );
}

/** Drawn once per page: what fills gaps. */
export function HatchPattern() {
  return (
    <svg class="definitions" aria-hidden="true">
      <defs>
        <pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="hatch-line" width="1.2" height="4" />
        </pattern>
      </defs>
    </svg>
  );
}
