import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SystemCallError, ViewTooLargeError } from './errors.js'
import { addressOf, pageSize } from './memory.js'
import { MAX_VIEW_BYTES, mapFile, mapFileInto, unmapInto } from './mmap.js'

const WASM_PAGE = 65536

let dir: string
let file: string
let content: Buffer

/** (func (param i32) (result i32) local.get 0 i32.load) and (func (param i32 i32) local.get 0 local.get 1 i32.store) over an imported memory. */
const ACCESSORS = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 11, 2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0, 2, 9, 1, 1, 0x65, 1, 0x6d,
  2, 1, 64, 64, 3, 3, 2, 0, 1, 7, 16, 2, 4, 0x6c, 0x6f, 0x61, 0x64, 0, 0, 5, 0x73, 0x74, 0x6f, 0x72, 0x65, 0, 1, 10, 19,
  2, 7, 0, 0x20, 0, 0x28, 2, 0, 0x0b, 9, 0, 0x20, 0, 0x20, 1, 0x36, 2, 0, 0x0b,
])

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'platform-mmap-'))
  file = join(dir, 'data')
  content = Buffer.alloc(3 * pageSize() + 100)
  for (let i = 0; i < content.length; i++) content[i] = (i * 31 + (i >> 8)) & 0xff
  writeFileSync(file, content)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('mapFile', () => {
  it('shows the bytes of the file, by path and by descriptor, after the descriptor is closed', () => {
    const fd = openSync(file, 'r')
    const byFd = mapFile(fd, { advice: 'random' })
    closeSync(fd)
    const byPath = mapFile(file)
    for (const mapping of [byFd, byPath]) {
      expect(mapping.length).toBe(content.length)
      expect(Buffer.compare(mapping.bytes(), content)).toBe(0)
      expect(mapping.bytes()).toBe(mapping.bytes())
      expect(mapping.address % BigInt(pageSize())).toBe(0n)
      mapping.advise(pageSize() + 5, 10, 'willneed')
      mapping.advise(0, mapping.length, 'random')
      mapping.unmap()
      mapping.unmap()
      expect(() => mapping.bytes()).toThrow(/not mapped/)
      expect(() => mapping.advise(0, 1, 'normal')).toThrow(/not mapped/)
    }
  })

  it('is removed from the address space by unmap', () => {
    const mapping = mapFile(file)
    const needle = `${mapping.address.toString(16)}-`
    const mapped = () => readFileSync('/proc/self/maps', 'utf8').includes(needle)
    expect(mapped()).toBe(true)
    mapping.unmap()
    expect(mapped()).toBe(false)
  })

  it('maps an empty file to no bytes', () => {
    const empty = join(dir, 'empty')
    writeFileSync(empty, '')
    const mapping = mapFile(empty, { advice: 'random' })
    expect([mapping.address, mapping.length, mapping.bytes().length]).toEqual([0n, 0, 0])
    mapping.unmap()
  })

  it('refuses a view above 4 GiB with a typed error, and maps it all the same', () => {
    const sparse = join(dir, 'sparse')
    writeFileSync(sparse, '')
    truncateSync(sparse, MAX_VIEW_BYTES + 1)
    const mapping = mapFile(sparse)
    expect(() => mapping.bytes()).toThrow(ViewTooLargeError)
    mapping.advise(MAX_VIEW_BYTES - 1, 2, 'willneed')
    mapping.unmap()
  })

  it('refuses ranges outside of the file, what is not there, and what cannot be mapped', () => {
    const mapping = mapFile(file)
    for (const [offset, length] of [
      [-1, 1],
      [0, content.length + 1],
      [content.length, 1],
      [Number.NaN, 1],
    ] as const)
      expect(() => mapping.advise(offset, length, 'normal')).toThrow(/inside/)
    mapping.unmap()
    expect(() => mapFile(join(dir, 'absent'))).toThrow(/ENOENT/)
    const fd = openSync(dir, 'r')
    expect(() => mapFile(fd)).toThrow(SystemCallError)
    closeSync(fd)
  })
})

describe('mapFileInto', () => {
  it('puts file pages into a WebAssembly.Memory, where WebAssembly and typed arrays read them', async () => {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 64 })
    const base = addressOf(memory.buffer)
    expect(base % BigInt(pageSize())).toBe(0n)
    const at = 3 * WASM_PAGE
    const bytes = new Uint8Array(memory.buffer)
    bytes.fill(7, at - 8, at)
    const fd = openSync(file, 'r')
    mapFileInto(base + BigInt(at), fd, pageSize(), content.length - pageSize())
    closeSync(fd)

    const { instance } = await WebAssembly.instantiate(ACCESSORS, { e: { m: memory } })
    const load = instance.exports.load as (at: number) => number
    const store = instance.exports.store as (at: number, value: number) => void
    expect(Buffer.compare(bytes.subarray(at, at + content.length - pageSize()), content.subarray(pageSize()))).toBe(0)
    expect(load(at + 1000)).toBe(content.readInt32LE(pageSize() + 1000))
    expect([...bytes.subarray(at - 8, at)]).toEqual(Array(8).fill(7))
    // Read-only pages: a store traps and the file stays as it is.
    expect(() => store(at, 1)).toThrow(WebAssembly.RuntimeError)
    expect(Buffer.compare(readFileSync(file), content)).toBe(0)

    unmapInto(base + BigInt(at), content.length - pageSize())
    expect(load(at + 1000)).toBe(0)
    store(at + 1000, 42)
    expect(load(at + 1000)).toBe(42)
  })

  it('replaces one file by another in the same place', () => {
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 })
    const other = join(dir, 'other')
    writeFileSync(other, Buffer.alloc(pageSize(), 0x55))
    const base = addressOf(memory.buffer)
    for (const [path, expected] of [
      [file, content[0]],
      [other, 0x55],
    ] as const) {
      const fd = openSync(path, 'r')
      mapFileInto(base, fd, 0, pageSize())
      closeSync(fd)
      expect(new Uint8Array(memory.buffer)[0]).toBe(expected)
    }
    unmapInto(base, pageSize())
  })

  it('works on a shared memory', () => {
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true })
    const base = addressOf(memory.buffer)
    const fd = openSync(file, 'r')
    mapFileInto(base, fd, 0, content.length)
    closeSync(fd)
    expect(new Uint8Array(memory.buffer)[5000]).toBe(content[5000])
    unmapInto(base, content.length)
  })

  it('refuses what is not at a page or outside of the file, before anything is mapped', () => {
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 })
    const base = addressOf(memory.buffer)
    const fd = openSync(file, 'r')
    expect(() => mapFileInto(base + 1n, fd, 0, 1)).toThrow(/address at a page/)
    expect(() => mapFileInto(0n, fd, 0, 1)).toThrow(/address at a page/)
    expect(() => mapFileInto(base, fd, 1, 1)).toThrow(/offset at a page/)
    expect(() => mapFileInto(base, fd, -pageSize(), 1)).toThrow(/offset at a page/)
    expect(() => mapFileInto(base, fd, 0, 0)).toThrow(/positive length/)
    expect(() => mapFileInto(base, fd, 0, content.length + 1)).toThrow(/inside the file/)
    expect(() => unmapInto(base + 8n, 1)).toThrow(/address at a page/)
    closeSync(fd)
  })

  it('has no address for an empty buffer', () => {
    expect(() => addressOf(new ArrayBuffer(0))).toThrow(/buffer with bytes/)
  })
})
