/** What work that is done in pieces comes to. */
export function allAtOnce<Result>(work: Generator<unknown, Result>): Result {
  for (;;) {
    const piece = work.next();
    if (piece.done) return piece.value;
  }
}
