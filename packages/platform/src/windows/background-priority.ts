import { kernel32, lastError } from './kernel32.js'

const THREAD_MODE_BACKGROUND_BEGIN = 0x10000
const THREAD_PRIORITY_IDLE = -15

/**
 * Makes the calling thread compute, read and keep pages only when nobody else wants to; where that is not known (Wine), compute.
 * Returns what was refused.
 */
export function takeBackgroundPriority(): string[] {
  const { GetCurrentThread, SetThreadPriority } = kernel32()
  const take = (name: string, priority: number): string[] =>
    SetThreadPriority(GetCurrentThread(), priority) === 0 ? [`SetThreadPriority ${name}: error ${lastError()}`] : []
  const refused = take('background', THREAD_MODE_BACKGROUND_BEGIN)
  return refused.length === 0 ? [] : [...refused, ...take('idle', THREAD_PRIORITY_IDLE)]
}
