import { CorruptFileError, HotpathError } from '@hotpath/model'
import { CIPHER_PROFILES, CipherKey, DETECTION_BYTES, detectCipher } from '@hotpath/sqlite'
import type { OpenFile } from './open-file.js'
import { encryptedCodec, isHeaderAlone, isPlainDatabase, type PageCodec, plainCodec } from './page-codec.js'

/** How a database is opened that may be encrypted. */
export interface DatabaseKey {
  /** Profile; undefined: those that are known are tried. */
  readonly cipher: string | undefined
  /** Asks for the key, which is the caller's to wipe; undefined: there is none. Throws WrongKeyError where it cannot be had. */
  read(): Uint8Array | undefined
}

/** There is no key, or it opens nothing. */
export class WrongKeyError extends HotpathError {
  readonly code = 'WRONG_KEY'
}

/** Shorter files hold no page. */
const LEAST_BYTES = 512

/**
 * Finds how the pages of a database are stored. Of an encrypted one it takes up to seconds, most of them on a thread of the pool. Throws
 * WrongKeyError, CorruptFileError.
 */
export async function openCodec(file: OpenFile, key: DatabaseKey): Promise<PageCodec> {
  const { sizeBytes } = file
  if (sizeBytes < LEAST_BYTES)
    throw new CorruptFileError(file.path, 0, `a page of at least ${LEAST_BYTES} bytes`, `${sizeBytes} bytes`)
  const start = file.read(0, Math.min(sizeBytes, DETECTION_BYTES))
  if (isPlainDatabase(start)) return plainCodec(file.path, start)
  const bytes = key.read()
  if (bytes === undefined) throw new WrongKeyError('it is encrypted, or is no SQLite database, and there is no key')
  const parsed = parseKey(bytes)
  bytes.fill(0)
  try {
    const cipher = await detectCipher(start, parsed, profilesOf(key.cipher))
    if (cipher === undefined && parsed.salt === undefined && isHeaderAlone(start))
      throw new WrongKeyError("its header is in clear, so the key has to be given with the salt: x'…' with 96 digits")
    if (cipher === undefined) throw new WrongKeyError('the key does not open it')
    return encryptedCodec(file.path, cipher)
  } finally {
    parsed.wipe()
  }
}

/** The key itself as `x'…'` of hexadecimal digits, all else is a passphrase. */
function parseKey(bytes: Uint8Array): CipherKey {
  if (bytes.length === 0) throw new WrongKeyError('the key is empty')
  if (bytes[0] === 0x78 && bytes[1] === 0x27) return CipherKey.parse(Buffer.from(bytes).toString('utf8'))
  return CipherKey.passphrase(bytes)
}

function profilesOf(name: string | undefined) {
  const profiles = name === undefined ? CIPHER_PROFILES : CIPHER_PROFILES.filter(profile => profile.name === name)
  if (profiles.length > 0) return profiles
  const known = CIPHER_PROFILES.map(profile => profile.name).join(', ')
  throw new WrongKeyError(`there is no profile ${JSON.stringify(name)}; there are ${known}`)
}
