import { WindowsCallError, WindowsCode } from './errors.js'
import { windowsLibrary } from './library.js'

/** libuv is part of the program itself, which exports its functions for add-ons. */
const libuv = windowsLibrary<{ uv_get_osfhandle(fd: number): number }>(process.execPath, {
  uv_get_osfhandle: 'intptr_t uv_get_osfhandle(int fd)',
})

/** The handle behind a descriptor of node:fs; it is closed with the descriptor. Throws WindowsCallError. */
export function handleOf(fd: number): number {
  const handle = libuv().uv_get_osfhandle(fd)
  // INVALID_HANDLE_VALUE, and -2 for a descriptor that has none.
  if (handle < 0) throw new WindowsCallError('uv_get_osfhandle', WindowsCode.invalidHandle, `descriptor ${fd}`)
  return handle
}
