import { Store } from '../state/store.js'

const SHOWN_MS = 2_200

/** A line that is shown for a moment, and said. */
export class Messages extends Store {
  text = ''
  private timer: ReturnType<typeof setTimeout> | undefined

  show(text: string): void {
    this.text = text
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.text = ''
      this.changed()
    }, SHOWN_MS)
    this.changed()
  }
}
