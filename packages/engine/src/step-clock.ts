/** Time per step, if anybody asks. */
export class StepClock {
  readonly steps: { step: string; ms: number }[] = []
  private last = performance.now()

  constructor(private readonly enabled: boolean) {}

  step(step: string): void {
    if (!this.enabled) return
    const now = performance.now()
    this.steps.push({ step, ms: now - this.last })
    this.last = now
  }
}
