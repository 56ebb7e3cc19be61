import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'

/** What stays in memory; a transaction or a difference that is larger goes to a file. Some thousand pages: most transactions write ten. */
export const MEMORY_BYTES = 64 * 1024 * 1024

/** Pages that lie over those of a database: of a commit, or all that differ. As they are stored: encrypted pages stay encrypted. */
export class PageOverlay {
  readonly #memory = new Map<number, Uint8Array>()
  readonly #spilled = new Set<number>()
  #fd: number | undefined

  /** @param spillFile where pages go for which there is no memory; made when it is needed, gone after `close` */
  constructor(
    readonly pageSize: number,
    private readonly spillFile: string,
    private readonly memoryBytes: number,
  ) {}

  get size(): number {
    return this.#memory.size + this.#spilled.size
  }

  get isSpilled(): boolean {
    return this.#spilled.size > 0
  }

  has(no: number): boolean {
    return this.#memory.has(no) || this.#spilled.has(no)
  }

  /** Changed by nobody afterwards. */
  get(no: number): Uint8Array | undefined {
    const page = this.#memory.get(no)
    if (page !== undefined || !this.#spilled.has(no)) return page
    const bytes = new Uint8Array(this.pageSize)
    readWhole(this.#fd!, bytes, (no - 1) * this.pageSize)
    return bytes
  }

  /** @param bytes the overlay's from here on */
  set(no: number, bytes: Uint8Array): void {
    const isKnown = this.#memory.has(no)
    if (!isKnown && (this.#spilled.has(no) || (this.#memory.size + 1) * this.pageSize > this.memoryBytes)) {
      this.#fd ??= openSync(this.spillFile, 'w+', 0o600)
      writeWhole(this.#fd, bytes, (no - 1) * this.pageSize)
      this.#spilled.add(no)
      return
    }
    this.#memory.set(no, bytes)
  }

  /** What is not part of the database any more. */
  dropBeyond(pageCount: number): void {
    for (const pages of [this.#memory, this.#spilled])
      for (const no of pages.keys()) if (no > pageCount) pages.delete(no)
  }

  /** Numbers, rising. */
  numbers(): number[] {
    return [...this.#memory.keys(), ...this.#spilled].sort((a, b) => a - b)
  }

  close(): void {
    this.#memory.clear()
    this.#spilled.clear()
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    rmSync(this.spillFile, { force: true })
    this.#fd = undefined
  }
}

/** Reads until `bytes` is full; what is behind the end of the file reads as zeros. Returns how many bytes there were. */
export function readWhole(fd: number, bytes: Uint8Array, position: number): number {
  let filled = 0
  while (filled < bytes.length) {
    const got = readSync(fd, bytes, filled, bytes.length - filled, position + filled)
    if (got === 0) break
    filled += got
  }
  if (filled < bytes.length) bytes.fill(0, filled)
  return filled
}

export function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}
