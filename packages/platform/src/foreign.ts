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

/** Why no native call can be made in this process, not even to the system's own libraries; null if they can. */
export function foreignProblem(): NativeUnavailableError | null {
  loaded ??= load()
  return loaded instanceof NativeUnavailableError ? loaded : null
}

/** The foreign function library, loaded at the first call (about 10 ms). Throws NativeUnavailableError. */
export function koffi(): Koffi {
  loaded ??= load()
  if (loaded instanceof NativeUnavailableError) throw loaded
  return loaded
}
