import { HotpathError } from '@hotpath/model'

/** Codes that callers tell apart (Microsoft: "System Error Codes"). */
export const WindowsCode = {
  invalidFunction: 1,
  fileNotFound: 2,
  accessDenied: 5,
  invalidHandle: 6,
  noMoreFiles: 18,
  lockViolation: 33,
  handleEof: 38,
  notSupported: 50,
  invalidParameter: 87,
  ioPending: 997,
  journalDeleteInProgress: 1178,
  journalNotActive: 1179,
  journalEntryDeleted: 1181,
} as const

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [WindowsCode.invalidFunction, 'not a function of this device'],
  [WindowsCode.fileNotFound, 'it is not there'],
  [3, 'there is no such path'],
  [WindowsCode.accessDenied, 'access denied'],
  [WindowsCode.invalidHandle, 'the handle is not valid'],
  [8, 'not enough memory'],
  [WindowsCode.noMoreFiles, 'there are no more files'],
  [21, 'the device is not ready'],
  [32, 'in use by another program'],
  [WindowsCode.lockViolation, 'another program has locked a part of it'],
  [WindowsCode.handleEof, 'the end was reached'],
  [WindowsCode.notSupported, 'not supported by this file system or device'],
  [WindowsCode.invalidParameter, 'a parameter is wrong'],
  [WindowsCode.ioPending, 'it is still being done'],
  [1117, 'the device has failed'],
  [WindowsCode.journalDeleteInProgress, 'the change journal is being deleted'],
  [WindowsCode.journalNotActive, 'there is no active change journal'],
  [WindowsCode.journalEntryDeleted, 'what comes next in the change journal was given back'],
  [1455, 'more memory than the system can promise'],
])

/** A function of Windows failed. */
export class WindowsCallError extends HotpathError {
  readonly code = 'WINDOWS_CALL'
  /**
   * @param call the function, or the name of a control code
   * @param windowsCode what GetLastError says; of functions of ntdll the status
   * @param subject what it was called for: a path, `C:`, a process; empty if there is nothing to name
   * @param hint what to do about it
   */
  constructor(
    readonly call: string,
    readonly windowsCode: number,
    readonly subject = '',
    hint = '',
  ) {
    const meaning = MEANINGS.get(windowsCode) ?? 'for a reason without a text here'
    const what = subject === '' ? call : `${call} of ${subject}`
    super(`${what} failed: ${meaning}${hint === '' ? '' : `: ${hint}`} (error ${windowsCode})`)
  }
}

/** Whether something was thrown because a call failed with one of some codes. */
export function isWindowsFailure(error: unknown, ...codes: readonly number[]): error is WindowsCallError {
  return error instanceof WindowsCallError && codes.includes(error.windowsCode)
}
