import { InvalidInputError } from '@hotpath/model'

export const KEY_BYTES = 32
export const SALT_BYTES = 16

/**
 * What opens an encrypted database. Nothing of it is in what `JSON.stringify` or `console.log` make of it.
 */
export class CipherKey {
  readonly #passphrase: Uint8Array | undefined
  readonly #rawKey: Uint8Array | undefined
  readonly #salt: Uint8Array | undefined

  private constructor(passphrase?: Uint8Array, rawKey?: Uint8Array, salt?: Uint8Array) {
    this.#passphrase = passphrase
    this.#rawKey = rawKey
    this.#salt = salt
  }

  /**
   * A key as `PRAGMA key` takes it: `x'...'` with 64 hexadecimal digits is the key itself, with 96 the key and the salt; all else is a passphrase.
   */
  static parse(text: string): CipherKey {
    const hex = /^x'([0-9a-f]*)'$/i.exec(text)?.[1]
    if (hex?.length === 2 * KEY_BYTES) return CipherKey.raw(Buffer.from(hex, 'hex'))
    if (hex?.length === 2 * (KEY_BYTES + SALT_BYTES)) {
      const bytes = Buffer.from(hex, 'hex')
      return CipherKey.raw(bytes.subarray(0, KEY_BYTES), bytes.subarray(KEY_BYTES))
    }
    return CipherKey.passphrase(Buffer.from(text, 'utf8'))
  }

  /** @param salt where it is not in the file: with a header in clear */
  static passphrase(bytes: Uint8Array, salt?: Uint8Array): CipherKey {
    if (bytes.length === 0) throw new InvalidInputError('a passphrase', 'at least one byte', 'none')
    return new CipherKey(Uint8Array.from(bytes), undefined, checkedSalt(salt))
  }

  static raw(key: Uint8Array, salt?: Uint8Array): CipherKey {
    if (key.length !== KEY_BYTES) throw new InvalidInputError('a raw key', `${KEY_BYTES} bytes`, `${key.length}`)
    return new CipherKey(undefined, Uint8Array.from(key), checkedSalt(salt))
  }

  /** What the key is derived from; undefined where it is the key already. */
  get passphraseBytes(): Uint8Array | undefined {
    return this.#passphrase
  }

  get rawBytes(): Uint8Array | undefined {
    return this.#rawKey
  }

  /** The salt where it came with the key. */
  get salt(): Uint8Array | undefined {
    return this.#salt
  }

  /** Overwrites it in memory. */
  wipe(): void {
    this.#passphrase?.fill(0)
    this.#rawKey?.fill(0)
  }
}

function checkedSalt(salt: Uint8Array | undefined): Uint8Array | undefined {
  if (salt === undefined) return undefined
  if (salt.length !== SALT_BYTES) throw new InvalidInputError('a salt', `${SALT_BYTES} bytes`, `${salt.length}`)
  return Uint8Array.from(salt)
}
