import { closeSync } from 'node:fs'
import { SystemCallError } from './errors.js'
import { koffi } from './foreign.js'
import { checked, errno, libc } from './libc.js'

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
/** Of `sun_path` in `sockaddr_un` (unix(7)). */
const PATH_BYTES = 108

interface Functions {
  socket(family: number, type: number, protocol: number): number
  sendto(
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressBytes: number,
  ): number
}

let loaded: Functions | undefined

function functions(): Functions {
  // Says what is wrong where native calls cannot be made.
  libc()
  if (loaded === undefined) {
    const library = koffi().load(null)
    loaded = {
      socket: library.func('int socket(int family, int type, int protocol)'),
      sendto: library.func(
        'int64_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t addressBytes)',
      ),
    }
  }
  return loaded
}

/**
 * A datagram socket to whoever started this process, as systemd's sd_notify(3) has it: node:dgram has no local sockets. A message is lost
 * where nobody listens any more, or the listener does not read; nothing waits for it.
 */
export class NotifySocket {
  private fd: number | undefined
  private readonly address: Uint8Array

  /**
   * Opens it. Throws SystemCallError, NativeUnavailableError.
   *
   * @param address `$NOTIFY_SOCKET`: an absolute path, or `@` and an abstract name
   */
  constructor(private readonly name: string) {
    this.address = addressOf(name)
    this.fd = checked('socket', functions().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), name)
  }

  /** Sends one message, like `READY=1` or several such lines. Returns whether it is with the listener; false after `close`, too. */
  send(message: string): boolean {
    if (this.fd === undefined) return false
    const bytes = Buffer.from(message)
    const { address } = this
    return (
      functions().sendto(this.fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length) ===
      bytes.length
    )
  }

  /** Why the last `send` failed. */
  get problem(): SystemCallError {
    return new SystemCallError('sendto', errno(), this.name)
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd)
    this.fd = undefined
  }
}

/** A `sockaddr_un`: family, then the path and its NUL, or a NUL and the abstract name. */
function addressOf(name: string): Uint8Array {
  const isAbstract = name.startsWith('@')
  const bytes = Buffer.from(isAbstract ? name.slice(1) : name)
  if (!(isAbstract || name.startsWith('/')) || bytes.length === 0 || bytes.length > PATH_BYTES - 1 || bytes.includes(0))
    throw new TypeError(
      `expected an absolute path or @NAME of at most ${PATH_BYTES - 1} bytes, found ${JSON.stringify(name)}`,
    )
  const address = Buffer.alloc(2 + bytes.length + 1)
  address.writeUInt16LE(AF_UNIX, 0)
  bytes.copy(address, isAbstract ? 3 : 2)
  return address
}
