import { type AclEntry, parseAcl } from './access-list.js'
import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { cPath, errno, libc } from './libc.js'
import { type Arena, createArena } from './memory.js'

/** The largest value that Linux keeps (XATTR_SIZE_MAX). */
const MAX_VALUE_BYTES = 65_536
const ACL_NAME = cPath('system.posix_acl_access')

let value: Arena | undefined

/**
 * The access list of what a path leads to, without following a symlink at its end; undefined if there is none. Throws
 * SystemCallError (ENOENT, EACCES …; EINVAL if what the file system gave is no list). Some microseconds.
 */
export function readAcl(path: Uint8Array): readonly AclEntry[] | undefined {
  value ??= createArena(MAX_VALUE_BYTES)
  const terminated = cPath(path)
  const paths = createArena(terminated.length + ACL_NAME.length)
  paths.bytes.set(terminated)
  paths.bytes.set(ACL_NAME, terminated.length)
  const length = libc().lgetxattr(paths.address, paths.address + terminated.length, value.address, MAX_VALUE_BYTES)
  if (length >= 0) {
    const acl = parseAcl(value.bytes.subarray(0, length))
    if (acl === undefined) throw new SystemCallError('lgetxattr', Errno.EINVAL, 'what is there is no access list')
    return acl
  }
  const reason = errno()
  if (reason === Errno.ENODATA || reason === Errno.EOPNOTSUPP) return undefined
  throw new SystemCallError('lgetxattr', reason)
}

/** Gives a file an access list (bytes as of `encodeAcl`). Throws SystemCallError. */
export function writeAcl(path: Uint8Array, acl: Uint8Array): void {
  const terminated = cPath(path)
  const all = createArena(terminated.length + ACL_NAME.length + acl.length)
  all.bytes.set(terminated)
  all.bytes.set(ACL_NAME, terminated.length)
  all.bytes.set(acl, terminated.length + ACL_NAME.length)
  const name = all.address + terminated.length
  const result = libc().lsetxattr(all.address, name, name + ACL_NAME.length, acl.length, 0)
  if (result === -1) throw new SystemCallError('lsetxattr', errno())
}
