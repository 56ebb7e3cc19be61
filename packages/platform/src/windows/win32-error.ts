import { HotpathError } from '@hotpath/model'

/** Codes that callers tell apart (Microsoft: "System Error Codes"). */
export const Win32 = {
  fileNotFound: 2,
  accessDenied: 5,
  handleEof: 38,
  notSupported: 50,
  invalidParameter: 87,
  journalDeleteInProgress: 1178,
  journalNotActive: 1179,
  journalEntryDeleted: 1181,
} as const

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [1, 'not a function of this device'],
  [Win32.fileNotFound, 'there is no such volume'],
  [3, 'there is no such path'],
  [Win32.accessDenied, 'access denied: reading a volume takes an administrator'],
  [6, 'the handle is not valid'],
  [21, 'the device is not ready'],
  [32, 'in use by another program'],
  [Win32.handleEof, 'the end was reached'],
  [Win32.notSupported, 'not supported by this file system or device'],
  [Win32.invalidParameter, 'a parameter is wrong: another journal, or a read that is not aligned to sectors'],
  [1117, 'the device has failed'],
  [Win32.journalDeleteInProgress, 'the change journal is being deleted'],
  [Win32.journalNotActive, 'there is no active change journal'],
  [Win32.journalEntryDeleted, 'what comes next in the change journal was given back'],
])

/** A call to Windows failed for a volume. */
export class Win32Error extends HotpathError {
  readonly code = 'WIN32'
  constructor(
    readonly volume: string,
    readonly call: string,
    /** What GetLastError says. */
    readonly win32Code: number,
  ) {
    super(`${call} of ${volume} failed: ${meaningOf(win32Code)} (error ${win32Code})`)
  }
}

function meaningOf(code: number): string {
  return MEANINGS.get(code) ?? 'for a reason without a text here'
}

/** Whether something was thrown because a call failed with one of some codes. */
export function isWin32(error: unknown, ...codes: readonly number[]): error is Win32Error {
  return error instanceof Win32Error && codes.includes(error.win32Code)
}
