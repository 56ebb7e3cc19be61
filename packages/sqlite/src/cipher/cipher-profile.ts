/**
 * How SQLCipher encrypts pages (zetetic.net, "SQLCipher Design"): AES-256 in CBC mode, a vector of its own for each page, and
 * a code over what is encrypted, the vector and the number of the page.
 *
 *   page:  encrypted ... | vector 16 | code 20 or 64 | unused
 *                         <-------- reservedBytes -------->
 *
 * The first 16 bytes of page 1 are the salt that the key was derived with. Frames of the log have pages that are encrypted the same way.
 */
export interface CipherProfile {
  readonly name: string
  readonly pageSize: number
  readonly reservedBytes: number
  /** Of PBKDF2 from a passphrase to the key: what makes trying one dear. */
  readonly iterations: number
  readonly derivation: HashName
  /** What the code of a page is made with; null: pages have none, and a wrong key shows only in what they say. */
  readonly authentication: HashName | null
  /** Bytes at the start of page 1 that are not encrypted, instead of the salt: then the salt is known from elsewhere. */
  readonly plainHeaderBytes: 0 | 32
}

export type HashName = 'sha1' | 'sha256' | 'sha512'

/** The defaults of SQLCipher by its major version. */
export const SQLCIPHER_4: CipherProfile = {
  name: 'sqlcipher-4',
  pageSize: 4_096,
  reservedBytes: 80,
  iterations: 256_000,
  derivation: 'sha512',
  authentication: 'sha512',
  plainHeaderBytes: 0,
}

export const SQLCIPHER_3: CipherProfile = {
  name: 'sqlcipher-3',
  pageSize: 1_024,
  reservedBytes: 48,
  iterations: 64_000,
  derivation: 'sha1',
  authentication: 'sha1',
  plainHeaderBytes: 0,
}

export const SQLCIPHER_2: CipherProfile = { ...SQLCIPHER_3, name: 'sqlcipher-2', iterations: 4_000 }

export const SQLCIPHER_1: CipherProfile = {
  ...SQLCIPHER_2,
  name: 'sqlcipher-1',
  reservedBytes: 16,
  authentication: null,
}

/** What WCDB, and with it WeChat for a long time, takes: SQLCipher 3 with larger pages. */
export const WCDB: CipherProfile = { ...SQLCIPHER_3, name: 'wcdb', pageSize: 4_096 }

/** SQLCipher 4 as it is on iOS for databases that are shared between programs: the system looks at the header. */
export const SQLCIPHER_4_PLAIN_HEADER: CipherProfile = {
  ...SQLCIPHER_4,
  name: 'sqlcipher-4-plain-header',
  plainHeaderBytes: 32,
}

/** In the order in which they are tried: those most used first, and then those that are cheap to try. */
export const CIPHER_PROFILES: readonly CipherProfile[] = [
  SQLCIPHER_4,
  SQLCIPHER_3,
  WCDB,
  SQLCIPHER_2,
  SQLCIPHER_1,
  SQLCIPHER_4_PLAIN_HEADER,
]
