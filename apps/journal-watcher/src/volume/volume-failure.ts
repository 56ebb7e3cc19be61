import { CorruptFileError, systemFailureOf } from '@hotpath/model'
import { NativeUnavailableError, WindowsCallError } from '@hotpath/platform'

/** What to say if something was thrown because a volume cannot be read or asked; undefined: it is no such failure. */
export function volumeFailureOf(error: unknown): string | undefined {
  const isOne =
    error instanceof CorruptFileError ||
    error instanceof WindowsCallError ||
    error instanceof NativeUnavailableError ||
    systemFailureOf(error) !== undefined
  return isOne ? (error as Error).message : undefined
}
