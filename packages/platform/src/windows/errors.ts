import { HotpathError } from '@hotpath/model'

const NAMES: Readonly<Record<number, string>> = {
  2: 'ERROR_FILE_NOT_FOUND',
  5: 'ERROR_ACCESS_DENIED',
  6: 'ERROR_INVALID_HANDLE',
  8: 'ERROR_NOT_ENOUGH_MEMORY',
  33: 'ERROR_LOCK_VIOLATION',
  50: 'ERROR_NOT_SUPPORTED',
  87: 'ERROR_INVALID_PARAMETER',
  1455: 'ERROR_COMMITMENT_LIMIT',
}

/** A function of Windows failed. `error` is what GetLastError gave. */
export class WindowsCallError extends HotpathError {
  readonly code = 'WINDOWS_CALL'
  constructor(
    readonly call: string,
    readonly error: number,
    readonly subject = '',
  ) {
    super(`${call} failed: ${NAMES[error] ?? `error ${error}`}${subject === '' ? '' : ` (${subject})`}`)
  }
}
