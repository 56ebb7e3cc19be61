import { Socket } from 'node:net'

/**
 * Asks who has the privilege to mark the file systems of the trees that it knows: one byte there, and one back when it has looked, 1 if
 * something is marked now that was not.
 */
export class MarkRequests {
  readonly #socket: Socket
  #isWaiting = false
  /** It may have looked before we asked. */
  #isAsked = false

  /** @param onMarked something was marked */
  constructor(fd: number, onMarked: () => void) {
    this.#socket = new Socket({ fd, readable: true, writable: true })
    this.#socket.on('data', (answers: Buffer) => {
      this.#isWaiting = false
      if (this.#isAsked) this.ask()
      if (answers.includes(1)) onMarked()
    })
    // Who answered is gone, and stops us by other ways.
    this.#socket.on('error', () => {})
    this.#socket.unref()
  }

  ask(): void {
    this.#isAsked = this.#isWaiting
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#socket.write(new Uint8Array([0]))
  }

  close(): void {
    this.#socket.destroy()
  }
}
