import { HotpathError, InvalidInputError } from '@hotpath/model'

/** protobufjs throws Error, RangeError and TypeError for what it cannot read: one typed error for all. */
export function guarded<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof HotpathError) throw error
    throw new InvalidInputError(
      what,
      'an encoded hotpath.v1.Envelope',
      error instanceof Error ? error.message : 'garbage',
    )
  }
}
