/** Where the names of lines stand at their right ends. Pure. */

export interface WantedLabel {
  readonly key: string;
  readonly label: string;
  /** Where it would stand best. */
  readonly y: number;
}

export interface LabelRoom {
  readonly top: number;
  readonly bottom: number;
  readonly lineHeight: number;
}

/** Moves labels apart, as little as needed and without changing their order, within the room there is. */
export function spreadLabels(wanted: readonly WantedLabel[], { top, bottom, lineHeight }: LabelRoom): WantedLabel[] {
  const sorted = [...wanted].sort((a, b) => a.y - b.y);
  const placed: WantedLabel[] = [];
  let lowest = top;
  for (const label of sorted) {
    const y = Math.max(label.y, lowest);
    placed.push({ ...label, y });
    lowest = y + lineHeight;
  }
  let highest = bottom;
  for (let index = placed.length - 1; index >= 0; index -= 1) {
    const label = placed[index];
    if (!label) continue;
    placed[index] = { ...label, y: Math.min(label.y, highest) };
    highest = (placed[index]?.y ?? highest) - lineHeight;
  }
  return placed;
}
