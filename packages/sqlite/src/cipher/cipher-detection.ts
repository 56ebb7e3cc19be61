import { parseDatabaseHeader } from '../database-header.js'
import { type CipherKey, SALT_BYTES } from './cipher-key.js'
import { CIPHER_PROFILES, type CipherProfile } from './cipher-profile.js'
import { PageCipher } from './page-cipher.js'
import { PageKeys } from './page-keys.js'

/** What has to be given of a file, or all of a shorter one: its first page, whatever its size. */
export const DETECTION_BYTES = 65_536
const PAGE_SIZES = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536]

/**
 * Finds how a database is encrypted: the first profile with whose page size, or else with any other, page 1 is what the key opens.
 *
 * @param start the first bytes of the file, see {@link DETECTION_BYTES}
 * @returns undefined where the key opens it in no way
 */
export async function detectCipher(
  start: Uint8Array,
  key: CipherKey,
  profiles: readonly CipherProfile[] = CIPHER_PROFILES,
): Promise<PageCipher | undefined> {
  if (start.length < SALT_BYTES) return undefined
  const derived = new Map<string, PageKeys>()
  const keysOf = async (profile: CipherProfile): Promise<PageKeys> => {
    const derivation = `${profile.derivation} ${profile.iterations}`
    const known = derived.get(derivation)
    if (known !== undefined) return known.as(profile)
    const keys = await PageKeys.of(profile, key, start.subarray(0, SALT_BYTES))
    derived.set(derivation, keys)
    return keys
  }
  for (const profile of sized(profiles, start.length)) {
    // With the header in clear the salt is nowhere in the file.
    if (profile.plainHeaderBytes > 0 && key.salt === undefined) continue
    const cipher = new PageCipher(profile, await keysOf(profile))
    if (opens(cipher, start)) return cipher
  }
  return undefined
}

/** The profiles with their own page sizes, then with all others, as far as there are so many bytes. */
function sized(profiles: readonly CipherProfile[], bytes: number): CipherProfile[] {
  const others = profiles.flatMap(profile =>
    PAGE_SIZES.filter(pageSize => pageSize !== profile.pageSize).map(pageSize => ({ ...profile, pageSize })),
  )
  return [...profiles, ...others].filter(profile => profile.pageSize <= bytes)
}

/** Whether page 1 is one of a database with pages of that size. */
function opens(cipher: PageCipher, start: Uint8Array): boolean {
  const { pageSize, profile } = cipher
  const first = start.subarray(0, pageSize)
  if (!cipher.verifies(1, first)) return false
  try {
    const header = parseDatabaseHeader({ file: '', bytes: cipher.decrypt(1, first, ''), offset: 0 })
    return header.pageSize === pageSize && header.reservedBytes === profile.reservedBytes
  } catch {
    // What was decrypted is no header: without codes that is how a wrong key shows.
    return false
  }
}
