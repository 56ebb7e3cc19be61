import { NativeUnavailableError, SystemCallError } from '@hotpath/platform'
import { limitReason } from './inotify/inotify-tree.js'

/** What `make` makes, or why it cannot be made. */
export function attempt<T>(make: () => T): T | string {
  try {
    return make()
  } catch (error) {
    if (error instanceof SystemCallError) return limitReason(error)
    if (error instanceof NativeUnavailableError) return error.message
    // Errors of node:fs about the root itself.
    if (error instanceof Error && 'code' in error) return error.message
    throw error
  }
}
