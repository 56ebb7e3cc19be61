import type { TapDirection } from '../messages/control.js'

/** Where a socket tells what people may want to know; a Logger of any stage fits. */
export interface SocketLog {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void
}

export const SILENT: SocketLog = { debug: () => {}, warn: () => {} }

/** Sees a copy of all messages. `record` is called only while `active` is true and must not change or keep `bytes` for long. */
export interface Tap {
  readonly active: boolean
  record(direction: TapDirection, endpoint: string, peer: string, bytes: Uint8Array): void
}

/** zeromq's error for "would block". */
export function isBlocked(error: unknown): boolean {
  return codeOf(error) === 'EAGAIN'
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Milliseconds by which a timer may be late before the pause is taken for our own (a busy event loop, a suspended
 * machine): then silence proves nothing about the peer.
 */
export const LATE_TIMER_MS = 1_000
/** Share of a silence that is as good as the whole: timers are moved so that a process wakes once for several, and the answer to a ping came a little after it. */
export const NEARLY = 0.5

/**
 * Runs `step`; what a callback throws becomes an uncaught exception instead of ending the loop that called it, which
 * would leave a socket that looks alive and hears nothing.
 */
export function isolated(step: () => void): void {
  try {
    step()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
