import { closeSync, openSync, writeSync } from 'node:fs'
import type { ReadStream, WriteStream } from 'node:tty'
import type { ScreenSize } from './finder-view.js'

/** The alternate screen; pastes are marked; a row that is longer than we think does not wrap and move all others. */
const ENTER = '\u001b[?1049h\u001b[?2004h\u001b[?7l'
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?2004l\u001b[?25h\u001b[?1049l'
/** What a terminal of unknown size is taken for. */
const USUAL_SIZE: ScreenSize = { columns: 80, rows: 24 }

/** What the finder needs of a terminal. */
export interface FinderTerminal {
  readonly size: ScreenSize
  onInput: (bytes: Uint8Array) => void
  onResize: () => void
  /** Nobody types any more: the terminal is gone. */
  onEnd: () => void
  /** Takes the screen and the keyboard; again, after the process was stopped. */
  enter(): void
  /** Gives them back as they were. May be called twice. */
  leave(): void
  write(text: string): void
}

/** Standard output or error: a terminal, or something else. */
export type TerminalStream = WriteStream & { readonly fd: number }

/** The streams of this process that may be a terminal. */
export interface TerminalStreams {
  readonly stdin: ReadStream
  readonly stdout: TerminalStream
  readonly stderr: TerminalStream
}

/**
 * Whether there is somebody who types and sees: then the finder can be shown, also where standard output goes elsewhere (`$(hotpath)`).
 * A dumb terminal has no places to write to.
 */
export function isInteractive({ stdin, stdout, stderr }: TerminalStreams, term: string | undefined): boolean {
  return stdin.isTTY === true && (stdout.isTTY === true || stderr.isTTY === true) && term !== 'dumb'
}

/**
 * The terminal that controls this process. It is written to at once, through a descriptor of our own that blocks: so that it can be given
 * back as it was also while the process ends, and a slow line holds up frames instead of collecting them.
 */
export class ControllingTerminal implements FinderTerminal {
  onInput: (bytes: Uint8Array) => void = () => {}
  onResize: () => void = () => {}
  onEnd: () => void = () => {}
  private readonly sized: TerminalStream
  private readonly fd: number
  private isOwn = false
  private isEntered = false

  constructor(private readonly streams: TerminalStreams) {
    this.sized = streams.stdout.isTTY ? streams.stdout : streams.stderr
    this.fd = this.openOwn() ?? this.sized.fd
    this.sized.on('resize', () => this.onResize())
    streams.stdin.on('data', (bytes: Buffer) => this.onInput(bytes))
    for (const event of ['end', 'error', 'close']) streams.stdin.on(event, () => this.onEnd())
  }

  get size(): ScreenSize {
    const { columns, rows } = this.sized
    return columns > 0 && rows > 0 ? { columns, rows } : USUAL_SIZE
  }

  enter(): void {
    this.isEntered = true
    // Off first: after a stop the shell has set modes of its own, and Node takes raw for done.
    this.streams.stdin.setRawMode(false)
    this.streams.stdin.setRawMode(true)
    this.streams.stdin.resume()
    this.write(ENTER)
  }

  leave(): void {
    if (!this.isEntered) return
    this.isEntered = false
    this.write(LEAVE)
    try {
      this.streams.stdin.setRawMode(false)
    } catch {
      // The terminal is gone, and its modes with it.
    }
    this.streams.stdin.pause()
  }

  close(): void {
    this.leave()
    if (this.isOwn) closeSync(this.fd)
    this.isOwn = false
  }

  write(text: string): void {
    let rest: Uint8Array = Buffer.from(text)
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.fd, rest))
      } catch (error) {
        // Somebody who shares the terminal made it one that does not wait.
        if (codeOf(error) !== 'EAGAIN') return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      }
    }
  }

  private openOwn(): number | undefined {
    try {
      const fd = openSync('/dev/tty', 'w')
      this.isOwn = true
      return fd
    } catch {
      return undefined
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
