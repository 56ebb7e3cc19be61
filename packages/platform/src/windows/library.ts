import { platform } from 'node:os'
import { NativeUnavailableError } from '../errors.js'
import { koffi } from '../foreign.js'

/**
 * Functions of a library of Windows, loaded at the first call, and never where there is no Windows: then, and if it cannot be loaded, the
 * call throws NativeUnavailableError.
 *
 * Addresses, handles and sizes are numbers: those of user space are below 2^47, and handles are signed, so INVALID_HANDLE_VALUE is -1.
 */
export function windowsLibrary<F extends object>(
  name: string,
  declarations: Readonly<Record<keyof F, string>>,
): () => F {
  let loaded: F | undefined
  return () => {
    loaded ??= load<F>(name, declarations)
    return loaded
  }
}

function load<F>(name: string, declarations: Readonly<Record<keyof F, string>>): F {
  if (platform() !== 'win32') throw new NativeUnavailableError(`${name} is a library of Windows`)
  try {
    const library = koffi().load(name)
    const functions = Object.entries<string>(declarations).map(([key, declaration]) => [key, library.func(declaration)])
    return Object.fromEntries(functions) as F
  } catch (cause) {
    throw new NativeUnavailableError(`${name} cannot be loaded`, { cause })
  }
}
