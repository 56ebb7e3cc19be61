import { endianness, platform } from 'node:os'
import { Errno } from './errno.js'
import { NativeUnavailableError, SystemCallError } from './errors.js'
import { type Koffi, koffi } from './foreign.js'

/**
 * The C functions this package calls. Addresses and lengths are numbers: user space ends at 2^47 (2^57 with five
 * level paging, which needs an explicit request), and a number costs less per call than a bigint (167 ns against 202 ns).
 * `-1` tells of failure, the reason is in `errno()`.
 */
export interface Libc {
  mmap(address: number, length: number, protection: number, flags: number, fd: number, offset: number): number
  munmap(address: number, length: number): number
  madvise(address: number, length: number, advice: number): number
  mincore(address: number, length: number, states: Uint8Array): number
  /** Unlike the others it gives the number of the error, 0 for success. */
  posix_fadvise(fd: number, offset: number, length: number, advice: number): number
  sysconf(name: number): number
  flock(fd: number, operation: number): number
  /** Locks only: the third argument is a `struct flock`. */
  fcntl(fd: number, command: number, lock: Uint8Array): number
  /** openat2 only: the number of the call and its four arguments. */
  syscall(call: number, dirFd: number, path: number, how: number, howBytes: number): number
  openat(dirFd: number, name: number, flags: number, mode: number): number
  close(fd: number): number
  read(fd: number, buffer: number, length: number): number
  getdents64(fd: number, buffer: number, length: number): number
  statx(dirFd: number, name: number, flags: number, mask: number, out: number): number
  /** Fills the rest with zeros. */
  strncpy(to: number, from: number, length: number): number
  lgetxattr(path: number, name: number, value: number, length: number): number
  lsetxattr(path: number, name: number, value: number, length: number, flags: number): number
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array): number
  fstatfs(fd: number, out: Uint8Array): number
  inotify_init1(flags: number): number
  inotify_add_watch(fd: number, path: Uint8Array, mask: number): number
  inotify_rm_watch(fd: number, watch: number): number
  fanotify_init(flags: number, eventFlags: number): number
  fanotify_mark(fd: number, flags: number, mask: number, dirFd: number, path: Uint8Array): number
  name_to_handle_at(dirFd: number, path: Uint8Array, handle: Uint8Array, mountId: Uint8Array, flags: number): number
  open_by_handle_at(mountFd: number, handle: Uint8Array, flags: number): number
  memfd_create(name: Uint8Array, flags: number): number
  eventfd(initial: number, flags: number): number
  poll(fds: number, count: number, timeoutMs: number): number
  prctl(option: number, second: number, third: number, fourth: number, fifth: number): number
  capset(header: Uint8Array, data: Uint8Array): number
}

const DECLARATIONS: Record<keyof Libc, string> = {
  mmap: 'uintptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)',
  munmap: 'int munmap(uintptr_t address, size_t length)',
  madvise: 'int madvise(uintptr_t address, size_t length, int advice)',
  mincore: 'int mincore(uintptr_t address, size_t length, void *states)',
  posix_fadvise: 'int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)',
  sysconf: 'long sysconf(int name)',
  flock: 'int flock(int fd, int operation)',
  fcntl: 'int fcntl(int fd, int command, void *lock)',
  syscall: 'long syscall(long call, long dirFd, uintptr_t path, uintptr_t how, size_t howBytes)',
  openat: 'int openat(int dirFd, uintptr_t name, int flags, uint32_t mode)',
  close: 'int close(int fd)',
  read: 'int64_t read(int fd, uintptr_t buffer, size_t length)',
  getdents64: 'int64_t getdents64(int fd, uintptr_t buffer, size_t length)',
  statx: 'int statx(int dirFd, uintptr_t name, int flags, uint32_t mask, uintptr_t out)',
  strncpy: 'uintptr_t strncpy(uintptr_t to, uintptr_t from, size_t length)',
  lgetxattr: 'int64_t lgetxattr(uintptr_t path, uintptr_t name, uintptr_t value, size_t length)',
  lsetxattr: 'int lsetxattr(uintptr_t path, uintptr_t name, uintptr_t value, size_t length, int flags)',
  getsockopt: 'int getsockopt(int fd, int level, int option, void *value, void *length)',
  fstatfs: 'int fstatfs(int fd, void *out)',
  inotify_init1: 'int inotify_init1(int flags)',
  inotify_add_watch: 'int inotify_add_watch(int fd, const uint8_t *path, uint32_t mask)',
  inotify_rm_watch: 'int inotify_rm_watch(int fd, int watch)',
  fanotify_init: 'int fanotify_init(uint32_t flags, uint32_t eventFlags)',
  fanotify_mark: 'int fanotify_mark(int fd, uint32_t flags, uint64_t mask, int dirFd, const uint8_t *path)',
  name_to_handle_at: 'int name_to_handle_at(int dirFd, const uint8_t *path, void *handle, void *mountId, int flags)',
  open_by_handle_at: 'int open_by_handle_at(int mountFd, void *handle, int flags)',
  memfd_create: 'int memfd_create(const uint8_t *name, uint32_t flags)',
  eventfd: 'int eventfd(uint32_t initial, int flags)',
  poll: 'int poll(uintptr_t fds, unsigned long count, int timeoutMs)',
  prctl: 'int prctl(int option, unsigned long second, unsigned long third, unsigned long fourth, unsigned long fifth)',
  capset: 'int capset(void *header, const void *data)',
}

interface Native {
  readonly koffi: Koffi
  readonly libc: Libc
}

let loaded: Native | NativeUnavailableError | undefined

function load(): Native | NativeUnavailableError {
  if (platform() !== 'linux')
    return new NativeUnavailableError(`native calls are made on Linux only, not on ${platform()}`)
  // The parsers read kernel structures as little-endian.
  if (endianness() !== 'LE') return new NativeUnavailableError('native calls are made on little-endian machines only')
  try {
    const library = koffi().load(null)
    const functions = Object.entries(DECLARATIONS).map(([name, declaration]) => [name, library.func(declaration)])
    return { koffi: koffi(), libc: Object.fromEntries(functions) as Libc }
  } catch (cause) {
    if (cause instanceof NativeUnavailableError) return cause
    return new NativeUnavailableError('the C library cannot be loaded', { cause })
  }
}

function native(): Native {
  loaded ??= load()
  if (loaded instanceof NativeUnavailableError) throw loaded
  return loaded
}

/** Why native calls cannot be made in this process, or null if they can. Loads the add-on at the first call (about 10 ms). */
export function nativeProblem(): NativeUnavailableError | null {
  loaded ??= load()
  return loaded instanceof NativeUnavailableError ? loaded : null
}

/** Throws NativeUnavailableError where native calls cannot be made. */
export function libc(): Libc {
  return native().libc
}

/** Of the last failed call of this thread; read it before anything else is called. */
export function errno(): number {
  return native().koffi.errno()
}

/** `result`, or throws SystemCallError if it is -1. */
export function checked(call: string, result: number, subject?: string): number {
  if (result === -1) throw new SystemCallError(call, errno(), subject)
  return result
}

/** The bytes of a path as the kernel wants them, ended by NUL. A NUL inside the path is refused: it would cut it short. */
export function cPath(path: string | Uint8Array): Uint8Array {
  const bytes = typeof path === 'string' ? Buffer.from(path, 'utf8') : path
  if (bytes.includes(0)) throw new SystemCallError('open', Errno.EINVAL, 'path contains NUL')
  const out = new Uint8Array(bytes.length + 1)
  out.set(bytes)
  return out
}
