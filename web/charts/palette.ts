/** Colours of the charts: those of the style sheet, so that each is defined once. */

export interface Palette {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly panel: string;
  readonly accent: string;
  readonly font: string;
  /** Colour of a line by its key. */
  of(key: string): string;
}

/** Reads the colours in force. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour('ink'),
    soft: colour('soft'),
    line: colour('line'),
    panel: colour('panel'),
    accent: colour('accent'),
    font: getComputedStyle(document.body).fontFamily,
    of: (key) => colour(/^\d/.test(key) ? `code-${key}` : key),
  };
}

/** How a line is drawn: the second cue beside its colour. */
export function dashOf(key: string): number[] {
  return { p95: [6, 3], p99: [2, 3], connections: [6, 3], value: [] }[key] ?? [];
}

const TILE = 6;

/** A hatched fill: for 5xx, and for the floor of a gap. */
export function hatch(context: CanvasRenderingContext2D, colour: string, background: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = TILE;
  tile.height = TILE;
  const pen = tile.getContext('2d');
  if (!pen) return colour;
  pen.fillStyle = background;
  pen.fillRect(0, 0, TILE, TILE);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (const shift of [-TILE, 0, TILE]) {
    pen.moveTo(shift, TILE);
    pen.lineTo(shift + TILE, 0);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat') ?? colour;
}
