import { renameSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { platform } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** What Windows says while another program has one of the files open and does not share it: scanners and indexers do, for a moment. */
const HELD = new Set(['EPERM', 'EACCES', 'EBUSY'])
/** Two seconds in all, as long as a person would wait; who holds a file longer is no scanner. A guess. */
const WAITS_MS = [10, 20, 40, 80, 150, 300, 600, 800]

/** Renames, replacing what is there. On Windows it is tried again for two seconds while another program holds one of the files. */
export function replaceFile(from: string, to: string): Promise<void> {
  return whileHeld(() => rename(from, to))
}

/** As replaceFile; blocks this thread. */
export function replaceFileSync(from: string, to: string): void {
  for (const waitMs of platform() === 'win32' ? WAITS_MS : []) {
    try {
      renameSync(from, to)
      return
    } catch (error) {
      if (!isHeld(error)) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs)
    }
  }
  renameSync(from, to)
}

/** Tries again after each of the waits, where another program may be the reason; then once more. */
export async function whileHeld(
  attempt: () => Promise<void>,
  waitsMs: readonly number[] = platform() === 'win32' ? WAITS_MS : [],
): Promise<void> {
  for (const waitMs of waitsMs) {
    try {
      await attempt()
      return
    } catch (error) {
      if (!isHeld(error)) throw error
      await sleep(waitMs)
    }
  }
  await attempt()
}

function isHeld(error: unknown): boolean {
  return error instanceof Error && 'code' in error && HELD.has(String(error.code))
}
