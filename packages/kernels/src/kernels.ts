import { BLOCK_NAMES, GROUP_ENTRIES, MalformedBytesError } from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import { ScratchFullError } from './errors.js'
import {
  ARENA_ARGS_BYTES,
  ARENA_FIELDS,
  type KernelFunctions,
  VERIFY_ARGS_BYTES,
  VERIFY_FIELDS,
} from './kernel-functions.js'
import { MAX_SETS, READ_PAST_BYTES, RESULT_FIELDS, SCRATCH_START, Status, WASM_PAGE } from './memory-layout.js'
import { Scratch } from './scratch.js'
import { twinKernels } from './twin/index.js'
import { createMemory, instantiate, type KernelModule } from './wasm-module.js'

/** Bytes in the memory of some kernels. */
export interface Span {
  readonly at: number
  readonly length: number
}

/** Ascending u32 ids in the memory. */
export interface IdList {
  readonly at: number
  readonly count: number
}

/** The names section of a dictionary and what belongs to it, in the memory. */
export interface NameBlocks {
  readonly names: Span
  /** Start of each block in `names`, and the end of the last one: u32. */
  readonly offsets: Span
  readonly nameCount: number
}

/** Entries of each name. */
export interface NameCounts {
  /** One byte a name, 255 meaning "in the overflow". */
  readonly counts: Span
  /** Pairs of u32 (name, count), ascending. */
  readonly overflow: Span
}

/** Rows by name. */
export interface NameRows {
  /** Position in `inverse` of the first row of each block's names: u32. */
  readonly starts: Span
  /** Bit-packed rows, those of one name after those of the other. */
  readonly inverse: Span
  readonly width: number
  readonly count: number
}

export interface VerifyRequest {
  readonly program: Span
  readonly dictionary: NameBlocks
  /** The blocks to look at, or a range of them (`to` not included). */
  readonly blocks: IdList | { readonly from: number; readonly to: number }
  /** Position in `blocks` to start at (what an earlier result called `next`). */
  readonly start?: number
  /** Where ids of names go: room for `count` of them, at least BLOCK_NAMES. */
  readonly out?: IdList
  /** Bitmap in which names that match are set; bits of others are left as they are. */
  readonly bits?: Span
  readonly counts?: NameCounts
}

export interface VerifyResult {
  readonly matches: number
  /** Position in `blocks` of the first block not looked at; `done` if there is none. */
  readonly next: number
  readonly done: boolean
  /** Entries of the names that match; 0 if no counts were given. */
  readonly sum: number
}

/** Names that are not encoded: name i is originals[offsets[i] … offsets[i + 1]), its key likewise. */
export interface NameArena {
  readonly keys: Span
  readonly keyOffsets: Span
  readonly originals: Span
  readonly originalOffsets: Span
}

export interface KernelOptions {
  /** 64 KiB each; the memory never grows. Only pages that are touched take memory. */
  readonly memoryPages: number
  /** Scratch space for programs, lists and results. */
  readonly scratchBytes: number
  /** From `loadWasm`; undefined runs the plain TypeScript kernels. */
  readonly module: KernelModule | undefined
}

/** Kernels over a memory of their own. Throws InvalidInputError if the sizes do not fit together. */
export function createKernels(options: KernelOptions): Kernels {
  const { memoryPages, scratchBytes, module } = options
  if (!Number.isInteger(memoryPages) || memoryPages < 1 || memoryPages > 65536) {
    throw new InvalidInputError('memoryPages', '1 to 65536', `${memoryPages}`)
  }
  const least = SCRATCH_START + scratchBytes + READ_PAST_BYTES
  if (!(scratchBytes >= 4096) || least > memoryPages * WASM_PAGE) {
    throw new InvalidInputError('scratchBytes', `4096 to what ${memoryPages} pages hold`, `${scratchBytes}`)
  }
  if (module !== undefined) {
    const { buffer, functions } = instantiate(module, memoryPages)
    return new Kernels(buffer, functions, scratchBytes)
  }
  const buffer = createMemory(memoryPages)
  return new Kernels(buffer, twinKernels(buffer), scratchBytes)
}

/**
 * The kernels behind checked arguments. Everything is a place in one memory: results and what queries bring along go to
 * the scratch space (`scratch`, reset it after each query), file sections are mapped from `mappingStart` on by the caller
 * and must be followed by READ_PAST_BYTES readable bytes. Nothing is ever written above the scratch space.
 *
 * One query at a time: methods do not suspend, and results stay until the scratch space is taken back.
 * Throws MalformedBytesError (offset: address in this memory) when what was mapped is damaged.
 */
export class Kernels {
  /** The whole memory. */
  readonly bytes: Uint8Array
  readonly scratch: Scratch
  /** First byte above the scratch space, at a WebAssembly page. */
  readonly mappingStart: number
  private readonly fields: DataView
  private readonly args: number
  private readonly words: Uint32Array

  constructor(
    readonly buffer: ArrayBuffer,
    readonly functions: KernelFunctions,
    scratchBytes: number,
  ) {
    this.bytes = new Uint8Array(buffer)
    this.fields = new DataView(buffer)
    this.args = SCRATCH_START
    this.words = new Uint32Array(buffer, SCRATCH_START, VERIFY_ARGS_BYTES >>> 2)
    const start = SCRATCH_START + Math.max(VERIFY_ARGS_BYTES, ARENA_ARGS_BYTES)
    this.mappingStart = Math.ceil((SCRATCH_START + scratchBytes) / WASM_PAGE) * WASM_PAGE
    this.scratch = new Scratch((start + 15) & ~15, SCRATCH_START + scratchBytes)
    functions.initialise()
  }

  /** Copies bytes to the scratch space. */
  place(bytes: Uint8Array): Span {
    const at = this.scratch.take(bytes.length)
    this.bytes.set(bytes, at)
    return { at, length: bytes.length }
  }

  /** Copies ascending ids to the scratch space. */
  placeIds(ids: Uint32Array): IdList {
    const at = this.scratch.take(ids.length * 4)
    new Uint32Array(this.buffer, at, ids.length).set(ids)
    return { at, count: ids.length }
  }

  /** Room for `count` ids in the scratch space. */
  takeIds(count: number): IdList {
    return { at: this.scratch.take(count * 4), count }
  }

  /** `bits` zero bits in the scratch space. */
  takeBits(bits: number): Span {
    const length = Math.ceil(bits / 8)
    const at = this.scratch.take(length)
    this.bytes.fill(0, at, at + length)
    return { at, length }
  }

  /** The ids, without a copy; they change when the scratch space is used again. */
  ids(list: IdList): Uint32Array {
    return new Uint32Array(this.buffer, list.at, list.count)
  }

  /** CRC-32C. */
  crc32c(span: Span, seed = 0): number {
    this.check('crc32c', span)
    return this.functions.crc32c(span.at, span.length, seed) >>> 0
  }

  /** CRC-32C of each page of `pageBytes` (a multiple of 8) of a span of whole pages, as a copy. */
  crc32cPages(span: Span, pageBytes: number): Uint32Array {
    this.check('crc32cPages', span)
    if (!(pageBytes > 0 && pageBytes % 8 === 0 && span.length % pageBytes === 0)) {
      throw new InvalidInputError(
        'crc32cPages',
        'whole pages of a multiple of 8 bytes',
        `${span.length} / ${pageBytes}`,
      )
    }
    const mark = this.scratch.mark()
    const list = this.takeIds(span.length / pageBytes)
    this.functions.crc32cPages(span.at, pageBytes, list.count, list.at)
    const crcs = this.ids(list).slice()
    this.scratch.release(mark)
    return crcs
  }

  /** Ids that are in all of the Roaring sets, in any order of sets. At least one set. */
  intersect(sets: readonly Span[]): IdList {
    const cardinalities = sets.map(set => this.cardinality(set))
    const order = sets.map((_, i) => i).sort((a, b) => cardinalities[a] - cardinalities[b])
    return this.combineSets(
      'intersect',
      order.map(i => sets[i]),
      cardinalities[order[0]],
    )
  }

  /** Ids that are in any of the Roaring sets. At least one set. `maxIds`: no more can come of it (blocks that exist). */
  unite(sets: readonly Span[], maxIds = Number.POSITIVE_INFINITY): IdList {
    const sum = sets.reduce((total, set) => total + this.cardinality(set), 0)
    return this.combineSets('unite', sets, Math.min(sum, maxIds))
  }

  /** Ids that a Roaring set declares. Cost: a step a container. */
  cardinality(set: Span): number {
    this.check('cardinality', set)
    return this.checked(this.functions.roaringCardinality(set.at, set.length))
  }

  /** Ids of both lists. */
  intersectIds(a: IdList, b: IdList): IdList {
    const at = this.scratch.take(Math.min(a.count, b.count) * 4)
    return this.keep(at, this.functions.intersectSorted(a.at, a.count, b.at, b.count, at))
  }

  /** Ids of a that are not in b. */
  subtractIds(a: IdList, b: IdList): IdList {
    const at = this.scratch.take(a.count * 4)
    return this.keep(at, this.functions.subtractSorted(a.at, a.count, b.at, b.count, at))
  }

  /** Ids of either list. */
  uniteIds(a: IdList, b: IdList): IdList {
    const capacity = a.count + b.count
    const at = this.scratch.take(capacity * 4)
    return this.keep(at, this.functions.uniteSorted(a.at, a.count, b.at, b.count, at, capacity))
  }

  /** Runs a name program over blocks. Cost: 10–30 ns a name. */
  verifyBlocks(request: VerifyRequest): VerifyResult {
    const { program, dictionary, blocks, out, bits, counts } = request
    const { names, offsets, nameCount } = dictionary
    const blockCount = Math.ceil(nameCount / BLOCK_NAMES)
    this.check('program', program)
    this.check('names', names)
    this.check('offsets', offsets, (blockCount + 1) * 4)
    if (out !== undefined) this.checkOut('out', { at: out.at, length: out.count * 4 }, BLOCK_NAMES * 4)
    if (bits !== undefined) this.checkOut('bits', bits, Math.ceil(nameCount / 8))
    if (counts !== undefined) {
      this.check('counts', counts.counts, nameCount)
      this.check('overflow', counts.overflow)
    }
    const isList = 'at' in blocks
    if (isList) this.check('blocks', { at: blocks.at, length: blocks.count * 4 })
    const from = isList ? 0 : blocks.from
    const to = isList ? blocks.count : blocks.to
    if (!(from >= 0 && from <= to && (isList || to <= blockCount))) {
      throw new InvalidInputError('blocks', `a range within 0 … ${blockCount}`, `${from} … ${to}`)
    }
    // Blocks are also verified one at a time, in less than a microsecond each: no loop over names of fields.
    const { words } = this
    words[VERIFY_FIELDS.program >>> 2] = program.at
    words[VERIFY_FIELDS.programBytes >>> 2] = program.length
    words[VERIFY_FIELDS.names >>> 2] = names.at
    words[VERIFY_FIELDS.namesBytes >>> 2] = names.length
    words[VERIFY_FIELDS.offsets >>> 2] = offsets.at
    words[VERIFY_FIELDS.blocks >>> 2] = blockCount
    words[VERIFY_FIELDS.nameCount >>> 2] = nameCount
    words[VERIFY_FIELDS.list >>> 2] = isList ? blocks.at : 0
    words[VERIFY_FIELDS.from >>> 2] = Math.min(Math.max(from, request.start ?? from), to)
    words[VERIFY_FIELDS.to >>> 2] = to
    words[VERIFY_FIELDS.out >>> 2] = out?.at ?? 0
    words[VERIFY_FIELDS.capacity >>> 2] = out?.count ?? 0
    words[VERIFY_FIELDS.bits >>> 2] = bits?.at ?? 0
    words[VERIFY_FIELDS.counts >>> 2] = counts?.counts.at ?? 0
    words[VERIFY_FIELDS.overflow >>> 2] = counts?.overflow.at ?? 0
    words[VERIFY_FIELDS.overflowCount >>> 2] = counts === undefined ? 0 : Math.floor(counts.overflow.length / 8)
    this.checked(this.functions.verifyBlocks(this.args))
    return this.result(to)
  }

  /** Runs a name program over names from … to (not included) of an arena; stops when `out` is full. */
  scanArena(program: Span, arena: NameArena, from: number, to: number, out?: IdList): VerifyResult {
    this.check('program', program)
    this.check('keys', arena.keys)
    this.check('originals', arena.originals)
    this.check('keyOffsets', arena.keyOffsets, (to + 1) * 4)
    this.check('originalOffsets', arena.originalOffsets, (to + 1) * 4)
    if (out !== undefined) this.checkOut('out', { at: out.at, length: out.count * 4 }, 4)
    if (!(from >= 0 && from <= to)) throw new InvalidInputError('names', 'an ascending range', `${from} … ${to}`)
    this.setArgs(ARENA_FIELDS, {
      program: program.at,
      programBytes: program.length,
      keys: arena.keys.at,
      keyOffsets: arena.keyOffsets.at,
      keysBytes: arena.keys.length,
      originals: arena.originals.at,
      originalOffsets: arena.originalOffsets.at,
      originalsBytes: arena.originals.length,
      from,
      to,
      out: out?.at ?? 0,
      capacity: out?.count ?? 0,
    })
    this.checked(this.functions.scanArena(this.args))
    return this.result(to)
  }

  /** Counts values low … high (both included) of a u32 column; with `bits`, bit i says if value i is one of them. */
  filterU32Range(column: Span, low: number, high: number, bits?: Span): number {
    const count = Math.floor(column.length / 4)
    this.check('column', column)
    if (bits !== undefined) this.checkOut('bits', bits, Math.ceil(count / 8))
    if (!(low <= high)) return 0
    return this.functions.filterU32Range(column.at, count, low, high, bits?.at ?? 0) >>> 0
  }

  /** Bits set among from … to (not included). */
  popcount(bits: Span, from: number, to: number): number {
    this.check('bits', bits, Math.ceil(to / 8))
    return this.functions.popcountBits(bits.at, from, to) >>> 0
  }

  /** Numbers of the bits set among from … to (not included), ascending, as many as `out` has room for. */
  listBits(bits: Span, from: number, to: number, out: IdList): IdList {
    this.check('bits', bits, Math.ceil(to / 8))
    this.checkOut('out', { at: out.at, length: out.count * 4 })
    return { at: out.at, count: this.functions.listBits(bits.at, from, to, out.at, out.count) >>> 0 }
  }

  /** Values first … first + count of a bit-packed array (`width` 0 … 32), to the scratch space. */
  unpack(packed: Span, width: number, first: number, count: number): IdList {
    this.checkPacked(packed, width, first + count)
    const out = this.takeIds(count)
    this.functions.unpackBits(packed.at, width, first, count, out.at)
    return out
  }

  /** Values of a bit-packed array of `length` at `ids`, to the scratch space. */
  gatherPacked(packed: Span, width: number, length: number, ids: IdList): IdList {
    this.checkPacked(packed, width, length)
    this.checkIds(ids)
    const out = this.takeIds(ids.count)
    this.checked(this.functions.gatherBits(packed.at, width, length, ids.at, ids.count, out.at))
    return out
  }

  /** Values of a u32 column at `ids`, to the scratch space. */
  gather(column: Span, ids: IdList): IdList {
    this.check('column', column)
    this.checkIds(ids)
    const out = this.takeIds(ids.count)
    this.checked(this.functions.gatherU32(column.at, Math.floor(column.length / 4), ids.at, ids.count, out.at))
    return out
  }

  /**
   * Rows whose name is in a set: bit i of `out` is bit number value i of `bits` (of which there are `bitCount`), for the
   * first `count` values of a bit-packed array. Returns how many are set. Cost: about 2 ns a value.
   */
  selectPacked(packed: Span, width: number, count: number, bits: Span, bitCount: number, out: Span): number {
    this.checkPacked(packed, width, count)
    this.check('bits', bits, Math.ceil(bitCount / 8))
    this.checkOut('out', out, Math.ceil(count / 8))
    return this.checked(this.functions.selectPacked(packed.at, width, count, bits.at, bitCount, out.at))
  }

  /**
   * Bit i of `out`: size i of a size column of `count` is min … max bytes, both included; unknown sizes are not. Looks at
   * sizes from … to (not included; `from` a multiple of 64) and returns how many of them are. Cost: 2–3 ns a value.
   */
  filterSizes(column: Span, count: number, min: number, max: number, out: Span, from = 0, to = count): number {
    this.check('column', column)
    this.checkOut('out', out, Math.ceil(count / 8))
    if (!(from >= 0 && from % GROUP_ENTRIES === 0 && from <= to && to <= count)) {
      throw new InvalidInputError('sizes', `a range from a multiple of ${GROUP_ENTRIES} to ${count}`, `${from} … ${to}`)
    }
    const low = Math.max(0, Math.ceil(min))
    const high = Math.min(Number.MAX_SAFE_INTEGER, Math.floor(max))
    if (!(low <= high)) {
      this.bytes.fill(0, out.at + from / 8, out.at + Math.ceil(to / 8))
      return 0
    }
    return this.checked(this.functions.filterSizes(column.at, column.length, count, from, to, low, high, out.at))
  }

  /** How many rows the names of blocks from … to (not included) have whose bit is set. Cost: 1–2 ns a name. */
  countRows(bits: Span, counts: NameCounts, nameCount: number, from: number, to: number): number {
    this.checkNames(bits, counts, nameCount, from, to)
    const { overflow } = counts
    return this.checked(
      this.functions.expandNames(
        bits.at,
        from,
        to,
        nameCount,
        counts.counts.at,
        overflow.at,
        Math.floor(overflow.length / 8),
        0,
        0,
        0,
        0,
        0,
      ),
    )
  }

  /**
   * Sets the bits (in `out`, of `rows.count` bits; others are left as they are) of the rows of the names of blocks
   * from … to (not included) whose bit is set, and returns how many they are. Cost: some 4 ns a row.
   */
  expandNames(
    bits: Span,
    counts: NameCounts,
    nameCount: number,
    rows: NameRows,
    from: number,
    to: number,
    out: Span,
  ): number {
    this.checkNames(bits, counts, nameCount, from, to)
    this.check('starts', rows.starts, to * 4)
    this.checkPacked(rows.inverse, rows.width, rows.count)
    this.checkOut('out', out, Math.ceil(rows.count / 8))
    const { overflow } = counts
    return this.checked(
      this.functions.expandNames(
        bits.at,
        from,
        to,
        nameCount,
        counts.counts.at,
        overflow.at,
        Math.floor(overflow.length / 8),
        rows.starts.at,
        rows.inverse.at,
        rows.width,
        rows.count,
        out.at,
      ),
    )
  }

  private combineSets(operation: 'intersect' | 'unite', sets: readonly Span[], capacity: number): IdList {
    if (sets.length === 0 || sets.length > MAX_SETS) {
      throw new InvalidInputError(operation, `1 to ${MAX_SETS} sets`, `${sets.length}`)
    }
    const out = this.takeIds(capacity)
    const mark = this.scratch.mark()
    const pairs = this.takeIds(sets.length * 2)
    this.ids(pairs).set(sets.flatMap(set => [set.at, set.length]))
    const count = this.checked(this.functions[operation](pairs.at, sets.length, out.at, capacity))
    // What was reserved for ids that did not come is taken back.
    this.scratch.release(mark)
    return this.keep(out.at, count)
  }

  /** The first `count` ids at `at`, the last thing that was taken, and takes back the rest. */
  private keep(at: number, count: number): IdList {
    this.scratch.release(at)
    this.scratch.take(this.checked(count) * 4)
    return { at, count }
  }

  private result(to: number): VerifyResult {
    const next = this.fields.getUint32(RESULT_FIELDS.next, true)
    return {
      matches: this.fields.getUint32(RESULT_FIELDS.matches, true),
      next,
      done: next >= to,
      sum: this.fields.getFloat64(RESULT_FIELDS.sum, true),
    }
  }

  private setArgs<Name extends string>(places: Record<Name, number>, values: Record<Name, number>): void {
    for (const name in places) this.fields.setUint32(this.args + places[name], values[name], true)
  }

  /** A result below zero as an error. */
  private checked(status: number): number {
    if (status >= 0) return status
    if (status === Status.malformed) {
      const offset = this.fields.getUint32(RESULT_FIELDS.offset, true)
      throw new MalformedBytesError(offset, 'well-formed names or sets', 'damage')
    }
    if (status === Status.noRoom) throw new ScratchFullError(this.scratch.freeBytes + 1, this.scratch.freeBytes)
    throw new InvalidInputError('kernel', 'a valid program and arguments', `status ${status}`)
  }

  /** The span is in the memory, with what vector loads read past it, and holds `atLeast` bytes. */
  private check(what: string, span: Span, atLeast = 0): void {
    const end = span.at + span.length
    if (!(span.at > 0 && span.length >= atLeast && end + READ_PAST_BYTES <= this.bytes.length)) {
      throw new InvalidInputError(what, `${atLeast} bytes within ${this.bytes.length}`, `${span.at} + ${span.length}`)
    }
  }

  /** Outputs lie in the scratch space: what is mapped above must never be written. */
  private checkOut(what: string, span: Span, atLeast = 0): void {
    if (!(span.at >= this.scratch.start && span.length >= atLeast && span.at + span.length <= this.scratch.end)) {
      throw new InvalidInputError(what, `${atLeast} bytes of scratch space`, `${span.at} + ${span.length}`)
    }
  }

  private checkPacked(packed: Span, width: number, values: number): void {
    if (!(Number.isInteger(width) && width >= 0 && width <= 32)) {
      throw new InvalidInputError('width', '0 to 32 bits', `${width}`)
    }
    this.check('packed', packed, Math.ceil((values * width) / 8))
  }

  private checkNames(bits: Span, counts: NameCounts, nameCount: number, from: number, to: number): void {
    const blocks = Math.ceil(nameCount / BLOCK_NAMES)
    if (!(from >= 0 && from <= to && to <= blocks)) {
      throw new InvalidInputError('blocks', `a range within 0 … ${blocks}`, `${from} … ${to}`)
    }
    this.check('bits', bits, blocks * 4)
    this.check('counts', counts.counts, nameCount)
    this.check('overflow', counts.overflow)
  }

  private checkIds(ids: IdList): void {
    this.check('ids', { at: ids.at, length: ids.count * 4 })
  }
}
