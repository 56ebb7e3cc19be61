import { createRequire } from 'node:module'
import { NativeUnavailableError } from './errors.js'

export type Koffi = typeof import('koffi')

let loaded: Koffi | NativeUnavailableError | undefined

function load(): Koffi | NativeUnavailableError {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi
  } catch (cause) {
    return new NativeUnavailableError('the native call library cannot be loaded', { cause })
  }
}

/** The foreign function library, loaded at the first call (about 10 ms). Throws NativeUnavailableError. */
export function koffi(): Koffi {
  loaded ??= load()
  if (loaded instanceof NativeUnavailableError) throw loaded
  return loaded
}
