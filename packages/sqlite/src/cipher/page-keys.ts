import { hkdfSync, pbkdf2, pbkdf2Sync } from 'node:crypto'
import { promisify } from 'node:util'
import { type CipherKey, KEY_BYTES } from './cipher-key.js'
import type { CipherProfile } from './cipher-profile.js'

const SALT_MASK = 0x3a
/** Iterations from the key to the one of the codes: the key is no passphrase that could be guessed. */
const AUTHENTICATION_ITERATIONS = 2

const derive = promisify(pbkdf2)

/** The keys of the pages of one database. Nothing of them is in what `JSON.stringify` or `console.log` make of them. */
export class PageKeys {
  readonly #key: Buffer
  readonly #authenticationKey: Buffer
  readonly #salt: Uint8Array

  private constructor(profile: CipherProfile, key: Buffer, salt: Uint8Array) {
    this.#key = key
    this.#salt = Uint8Array.from(salt)
    const masked = salt.map(byte => byte ^ SALT_MASK)
    this.#authenticationKey =
      profile.authentication === null
        ? Buffer.alloc(0)
        : pbkdf2Sync(key, masked, AUTHENTICATION_ITERATIONS, KEY_BYTES, profile.derivation)
  }

  /** Derives them on a thread of the pool: a passphrase takes 256,000 iterations, most of a second. @param salt the first 16 bytes of the file */
  static async of(profile: CipherProfile, key: CipherKey, salt: Uint8Array): Promise<PageKeys> {
    const { passphraseBytes, rawBytes, salt: given = salt } = key
    if (rawBytes !== undefined) return new PageKeys(profile, Buffer.from(rawBytes), given)
    const { iterations, derivation } = profile
    return new PageKeys(profile, await derive(passphraseBytes!, given, iterations, KEY_BYTES, derivation), given)
  }

  /** The same on this thread. */
  static sync(profile: CipherProfile, key: CipherKey, salt: Uint8Array): PageKeys {
    const { passphraseBytes, rawBytes, salt: given = salt } = key
    if (rawBytes !== undefined) return new PageKeys(profile, Buffer.from(rawBytes), given)
    const { iterations, derivation } = profile
    return new PageKeys(profile, pbkdf2Sync(passphraseBytes!, given, iterations, KEY_BYTES, derivation), given)
  }

  /** The same key for another profile that derives it alike. */
  as(profile: CipherProfile): PageKeys {
    return new PageKeys(profile, Buffer.from(this.#key), this.#salt)
  }

  get key(): Uint8Array {
    return this.#key
  }

  get authenticationKey(): Uint8Array {
    return this.#authenticationKey
  }

  /** Key and salt as `PRAGMA key` takes them, so that nobody has to derive the key again: `x'...'` in ASCII. The caller overwrites it after use. */
  get rawKeyText(): Buffer {
    return Buffer.from(`x'${this.#key.toString('hex')}${Buffer.from(this.#salt).toString('hex')}'`, 'latin1')
  }

  /** A key of 32 bytes for something else that is as secret as the database. @param purpose other texts give other keys */
  derived(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#key, this.#salt, purpose, KEY_BYTES))
  }

  /** Overwrites them in memory. */
  wipe(): void {
    this.#key.fill(0)
    this.#authenticationKey.fill(0)
  }
}
