import { keyOf } from '@hotpath/index-format'

/**
 * A path as bytes whose order is path order: for each component its key, NUL, its original bytes, NUL (no name holds a
 * NUL). A path is a prefix of those below it.
 */
export function pathKey(components: readonly Uint8Array[]): Uint8Array {
  const keys = components.map(component => keyOf(component))
  let length = 0
  components.forEach((component, i) => {
    length += keys[i].length + component.length + 2
  })
  const bytes = new Uint8Array(length)
  let at = 0
  components.forEach((component, i) => {
    bytes.set(keys[i], at)
    at += keys[i].length + 1
    bytes.set(component, at)
    at += component.length + 1
  })
  return bytes
}
