import { platform } from 'node:os'
import { koffi } from '../foreign.js'
import { addressOf } from '../memory.js'
import { kernel32, succeeded } from './kernel32.js'
import { windowsLibrary } from './library.js'

const TOKEN_QUERY = 0x8
const TOKEN_USER = 1
/** TOKEN_USER and the longest SID (68 bytes). */
const TOKEN_USER_BYTES = 128
const SDDL_REVISION = 1
const DACL = 0x4
const PROTECTED_DACL = 0x8000_0000

const advapi32 = windowsLibrary<{
  OpenProcessToken(process: number, access: number, token: Uint8Array): number
  GetTokenInformation(token: number, kind: number, out: number, bytes: number, length: Uint8Array): number
  ConvertSidToStringSidW(sid: number, text: Uint8Array): number
  ConvertStringSecurityDescriptorToSecurityDescriptorW(
    text: string,
    revision: number,
    descriptor: Uint8Array,
    length: null,
  ): number
  SetFileSecurityW(path: string, what: number, descriptor: number): number
}>('advapi32.dll', {
  OpenProcessToken: 'int OpenProcessToken(intptr_t process, uint32_t access, void *token)',
  GetTokenInformation: 'int GetTokenInformation(intptr_t token, int kind, uintptr_t out, uint32_t bytes, void *length)',
  ConvertSidToStringSidW: 'int ConvertSidToStringSidW(uintptr_t sid, void *text)',
  ConvertStringSecurityDescriptorToSecurityDescriptorW:
    'int ConvertStringSecurityDescriptorToSecurityDescriptorW(const char16_t *text, uint32_t revision, void *descriptor, void *length)',
  SetFileSecurityW: 'int SetFileSecurityW(const char16_t *path, uint32_t what, uintptr_t descriptor)',
})

/**
 * Leaves a directory, and what will be made in it, to the user of this process alone: rights of the directory above are not inherited
 * any more. Does nothing where there is no Windows: modes say it there. Throws WindowsCallError.
 */
export function restrictToUser(path: string): void {
  if (platform() !== 'win32') return
  const sid = userSid()
  const text = `D:P(A;OICI;FA;;;${sid})`
  const descriptor = new BigUint64Array(1)
  const out = new Uint8Array(descriptor.buffer)
  const convert = advapi32().ConvertStringSecurityDescriptorToSecurityDescriptorW
  succeeded('ConvertStringSecurityDescriptorToSecurityDescriptorW', convert(text, SDDL_REVISION, out, null))
  const address = Number(descriptor[0])
  try {
    succeeded('SetFileSecurityW', advapi32().SetFileSecurityW(path, DACL + PROTECTED_DACL, address), path)
  } finally {
    kernel32().LocalFree(address)
  }
}

/** Of the user that this process runs as: `S-1-5-21-…`. */
function userSid(): string {
  const handle = new BigUint64Array(1)
  const { OpenProcessToken, GetTokenInformation, ConvertSidToStringSidW } = advapi32()
  succeeded(
    'OpenProcessToken',
    OpenProcessToken(kernel32().GetCurrentProcess(), TOKEN_QUERY, new Uint8Array(handle.buffer)),
  )
  const token = Number(handle[0])
  try {
    const user = new BigUint64Array(TOKEN_USER_BYTES / 8)
    const at = Number(addressOf(user.buffer))
    succeeded('GetTokenInformation', GetTokenInformation(token, TOKEN_USER, at, user.byteLength, new Uint8Array(4)))
    const text = new BigUint64Array(1)
    // The structure begins with the address of the SID.
    succeeded('ConvertSidToStringSidW', ConvertSidToStringSidW(Number(user[0]), new Uint8Array(text.buffer)))
    return takeText(Number(text[0]))
  } finally {
    kernel32().CloseHandle(token)
  }
}

/** A text that a function of Windows has allocated. */
function takeText(address: number): string {
  const bytes = new Uint8Array(koffi().view(BigInt(address), kernel32().lstrlenW(address) * 2))
  const text = Buffer.from(bytes).toString('utf16le')
  kernel32().LocalFree(address)
  return text
}
