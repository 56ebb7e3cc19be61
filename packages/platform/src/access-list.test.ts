import { describe, expect, it } from 'vitest'
import { ACL_NOT_READ, AclTag, digestOfAcl, encodeAcl, hasAcl, packMode, parseAcl } from './access-list.js'

const NOBODY = 0xffffffff
/** What Linux keeps after `setfacl -m u:1234:r-x,g:77:-wx,m::rwx` on a directory of mode 755. */
const GOLDEN = Buffer.from(
  '0200000001000700ffffffff02000500d204000004000500ffffffff080003004d00000010000700ffffffff20000500ffffffff',
  'hex',
)
const ENTRIES = [
  { tag: AclTag.owner, permissions: 7, id: NOBODY },
  { tag: AclTag.user, permissions: 5, id: 1234 },
  { tag: AclTag.owningGroup, permissions: 5, id: NOBODY },
  { tag: AclTag.group, permissions: 3, id: 77 },
  { tag: AclTag.mask, permissions: 7, id: NOBODY },
  { tag: AclTag.other, permissions: 5, id: NOBODY },
]

describe('access lists', () => {
  it('are read and written as the kernel has them', () => {
    expect(parseAcl(GOLDEN)).toEqual(ENTRIES)
    expect(Buffer.from(encodeAcl(ENTRIES)).equals(GOLDEN)).toBe(true)
  })

  it('are none where bytes are missing or the version is another', () => {
    for (let length = 0; length < GOLDEN.length; length++) {
      const cut = GOLDEN.subarray(0, length)
      // Whole entries make a list, which lacks its last ones: `mayAccess` refuses those.
      if ((length - 4) % 8 === 0) expect(parseAcl(cut)).toEqual(ENTRIES.slice(0, (length - 4) / 8))
      else expect(parseAcl(cut), `${length} bytes`).toBeUndefined()
    }
    expect(parseAcl(Buffer.concat([Buffer.of(3), GOLDEN.subarray(1)]))).toBeUndefined()
  })

  it('have digests that tell them apart and fit beside a mode', () => {
    const digests = new Set<number>()
    for (let at = 4; at < GOLDEN.length; at++) {
      const other = Buffer.from(GOLDEN)
      other[at]! ^= 1
      digests.add(digestOfAcl(other))
    }
    expect(digests.size).toBe(GOLDEN.length - 4)
    for (const digest of [...digests, ACL_NOT_READ]) {
      const packed = packMode(0o42755, digest)
      expect(packed & 0o7777).toBe(0o2755)
      expect(packed >>> 12).toBe(digest)
      expect(hasAcl(packed)).toBe(true)
    }
    expect(hasAcl(packMode(0o40777, 0))).toBe(false)
  })
})
