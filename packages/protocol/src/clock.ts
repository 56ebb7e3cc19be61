/** Clocks as text: the id of a store and the number of one of its states. Clients compare them for equality only. */
export interface ClockParts {
  readonly store: string
  readonly step: number
}

export function formatClock({ store, step }: ClockParts): string {
  return `${store}:${step.toString(36)}`
}

/** Undefined if the text is no clock as `formatClock` writes it. */
export function parseClock(clock: string): ClockParts | undefined {
  const at = clock.lastIndexOf(':')
  const store = clock.slice(0, at)
  const step = Number.parseInt(clock.slice(at + 1), 36)
  return at >= 0 && Number.isSafeInteger(step) && step >= 0 && formatClock({ store, step }) === clock
    ? { store, step }
    : undefined
}

/** Whether an answer with `clock` holds everything that `wanted` stands for. Of two stores nothing is known. */
export function clockCovers(clock: string, wanted: string): boolean {
  if (clock === wanted) return true
  const has = parseClock(clock)
  const least = parseClock(wanted)
  return has !== undefined && least !== undefined && has.store === least.store && has.step >= least.step
}
