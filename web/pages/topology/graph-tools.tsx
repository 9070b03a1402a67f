import { HealthShape } from '../../components/health-shape.tsx';
import type { CameraControl } from './use-camera.ts';

const LEGEND = [
  ['good', 'good'],
  ['warn', 'degraded'],
  ['bad', 'failing'],
  ['quiet', 'no traffic'],
  ['unknown', 'not known'],
] as const;

/** Zoom, and what lines and shapes mean. */
export function GraphTools({ camera }: { readonly camera: CameraControl }) {
  return (
    <>
      <div class="graph-zoom">
        <button type="button" class="small" aria-label="Zoom in" onClick={() => camera.zoomBy(1.25)}>
          +
        </button>
        <button type="button" class="small" aria-label="Zoom out" onClick={() => camera.zoomBy(0.8)}>
          −
        </button>
        <button type="button" class="small" onClick={camera.showAll}>
          Fit
        </button>
      </div>
      <ul class="graph-legend">
        {LEGEND.map(([health, words]) => (
          <li key={health}>
            <HealthShape health={health} words="" />
            <svg class={`edge ${health}`} width="28" height="8" aria-hidden="true">
              <path class="edge-line" d="M1 4H27" stroke-width="2" />
            </svg>
            {words}
          </li>
        ))}
        <li class="unit">wider: more requests</li>
      </ul>
    </>
  );
}
