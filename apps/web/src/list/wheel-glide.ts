/** Of the way that is left, in each frame: a notch takes some 120 ms. */
const SHARE = 0.28

/** Turns of the wheel as browsers show them: the list glides to where they lead. */
export class WheelGlide {
  private targetPx = 0
  /** Where the last step left the list: elsewhere, somebody else has moved it. */
  private leftAtPx = 0
  private frame: number | undefined

  /** @param move by pixels; says where the list stands then */
  constructor(
    private readonly position: () => number,
    private readonly move: (topPx: number) => void,
    private readonly isCalm = () => matchMedia('(prefers-reduced-motion: reduce)').matches,
  ) {}

  turn(byPx: number): void {
    if (this.isCalm()) {
      this.move(this.position() + byPx)
      return
    }
    if (this.frame === undefined || this.position() !== this.leftAtPx) {
      this.leftAtPx = this.position()
      this.targetPx = this.leftAtPx
    }
    this.targetPx += byPx
    this.frame ??= requestAnimationFrame(() => this.step())
  }

  stop(): void {
    if (this.frame !== undefined) cancelAnimationFrame(this.frame)
    this.frame = undefined
  }

  private step(): void {
    const before = this.position()
    if (before !== this.leftAtPx) {
      this.frame = undefined
      return
    }
    const left = this.targetPx - before
    const isThere = Math.abs(left) < 1
    this.move(isThere ? this.targetPx : before + left * SHARE)
    this.leftAtPx = this.position()
    // The end of the list is as far as it goes.
    const hasMoved = this.leftAtPx !== before
    this.frame = isThere || !hasMoved ? undefined : requestAnimationFrame(() => this.step())
  }
}
