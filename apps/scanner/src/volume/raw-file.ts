import { closeSync, openSync, readSync } from 'node:fs'

/** An image, a device or a volume of Windows that is open. */
export interface RawVolume {
  /** Fills an array with bytes from `offset` on, any place and length. Returns how many there were: 0 at the end. */
  read(offset: number, into: Uint8Array): number
  close(): void
}

/** An image or a device. Throws the error of node:fs. */
export function openRawFile(path: string): RawVolume {
  const fd = openSync(path, 'r')
  return {
    read: (offset, into) => readSync(fd, into, 0, into.length, offset),
    close: () => closeSync(fd),
  }
}
