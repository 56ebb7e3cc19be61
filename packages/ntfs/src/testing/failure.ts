import { CorruptFileError } from '@hotpath/model'

/** The damage that is found by `read`. Throws if it is none, or another error. */
export function damageIn(read: () => unknown): CorruptFileError {
  try {
    read()
  } catch (error) {
    if (error instanceof CorruptFileError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
