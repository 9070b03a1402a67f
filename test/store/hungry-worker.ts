/** Functions for a thread that ends by itself. */

export function awake(): void {}

export function add([a, b]: readonly [number, number]): number {
  return a + b;
}

/** Takes memory until there is none left. */
export function eat(): never {
  const eaten: number[][] = [];
  for (;;) eaten.push(Array.from({ length: 1000 }, (_, index) => index + Math.random()));
}

/** The same once it was answered. */
export function eatLater(): void {
  setImmediate(eat);
}
