import { readFileSync } from 'node:fs'

/**
 * What the module of the build kernels exports: assembly/build says what each does. Addresses are bytes in its memory; results that
 * are u32 come as signed numbers.
 */
export interface BuildFunctions {
  initialise(): void
  crc32cPages(at: number, pageBytes: number, count: number, out: number): void
  mark(): number
  release(mark: number): void
  take(bytes: number): number
  takeZeroed(bytes: number): number
  internNames(
    names: number,
    offsets: number,
    rows: number,
    from: number,
    to: number,
    table: number,
    slots: number,
    records: number,
    known: number,
    out: number,
    done: number,
  ): number
  rehash(table: number, slots: number, larger: number, largerSlots: number): void
  recordNames(names: number, offsets: number, from: number, to: number, records: number): void
  makeKeys(records: number, from: number, to: number, keys: number, others: number, otherCount: number): number
  nameBytes(records: number, count: number): number
  setKey(records: number, name: number, key: number, length: number): void
  spreadNames(records: number, count: number, elements: number, starts: number): void
  sortBuckets(records: number, elements: number, starts: number, from: number, to: number): void
  encodeNames(
    records: number,
    elements: number,
    from: number,
    to: number,
    base: number,
    at: number,
    offsets: number,
    rank: number,
    keyBytes: number,
  ): number
  startGrams(): void
  collectGrams(
    names: number,
    offsets: number,
    from: number,
    to: number,
    nameCount: number,
    weights: number,
    codes: number,
    k: number,
    boundary: number,
    singles: number,
    pairs: number,
  ): void
  countGrams(k: number, singles: number, pairs: number): number
  listGrams(
    k: number,
    byteOf: number,
    singles: number,
    pairs: number,
    keys: number,
    blocks: number,
    totals: number,
    records: number,
  ): void
  writePostings(
    from: number,
    to: number,
    blocks: number,
    commonShare: number,
    keys: number,
    blockCounts: number,
    records: number,
    offsets: number,
    base: number,
    at: number,
    capacity: number,
    ids: number,
    containers: number,
    done: number,
  ): number
  countHeavyGrams(keys: number, blocks: number, count: number, heavyBlocks: number): number
  startTrie(
    keys: number,
    blocks: number,
    count: number,
    heavyBlocks: number,
    codeOf: number,
    k: number,
    pairs: number,
    nodes: number,
    codes: number,
  ): number
  sampleBytes(
    names: number,
    offsets: number,
    from: number,
    to: number,
    step: number,
    nameCount: number,
    codes: number,
    boundary: number,
  ): number
  sampleText(
    names: number,
    offsets: number,
    from: number,
    to: number,
    step: number,
    nameCount: number,
    codes: number,
    boundary: number,
    out: number,
    at: number,
    ends: number,
  ): number
  startPlaces(sample: number, ends: number, names: number, k: number, pairs: number, places: number): number
  countCandidates(
    sample: number,
    ends: number,
    places: number,
    placeCount: number,
    length: number,
    k: number,
    firstNode: number,
    counts: number,
  ): number
  keepCandidates(
    counts: number,
    firstNode: number,
    endNode: number,
    depth: number,
    k: number,
    needed: number,
    most: number,
    nodes: number,
    codes: number,
  ): number
  followPlaces(sample: number, places: number, placeCount: number, length: number, nodes: number, codes: number): number
  countSubstrings(
    names: number,
    offsets: number,
    from: number,
    to: number,
    nameCount: number,
    weights: number,
    byteCodes: number,
    k: number,
    boundary: number,
    pairs: number,
    nodes: number,
    codes: number,
  ): void
  packValues(values: number, count: number, width: number, out: number): void
  measureGroups(values: number, count: number, bases: number, starts: number, widths: number): number
  packGroups(values: number, count: number, bases: number, widths: number, out: number): void
  anySet(values: number, count: number): number
  encodeSizes(sizes: number, count: number, starts: number, out: number): number
  limitSizes(sizes: number, count: number, largest: number): void
  dropZeros(values: number, count: number): void
  countUnknown(values: number, count: number): number
  encodeSeconds(seconds: number, count: number, raw: number, rows: number): number
  gatherF64(source: number, order: number, count: number, out: number): void
  gatherU32(source: number, order: number, count: number, out: number): void
  gatherU8(source: number, order: number, count: number, mask: number, out: number): void
  radixPass(column: number, count: number, order: number, spare: number): number
  extremeRows(
    values: number,
    count: number,
    minor: number,
    skip: number,
    flipped: number,
    limit: number,
    rows: number,
  ): number
  countingOrder(values: number, count: number, valueCount: number, order: number): void
  orderFiles(dirs: number, dirCount: number, names: number, nameCount: number, count: number, order: number): number
  rowsOfNames(
    nameIds: number,
    count: number,
    nameCount: number,
    weights: number,
    counts: number,
    blockStarts: number,
    inverse: number,
  ): number
  startMerge(cursors: number, count: number, heap: number): number
  mergeNames(
    heap: number,
    most: number,
    out: number,
    base: number,
    capacity: number,
    offsets: number,
    keyBytes: number,
  ): number
}

const NAMES: readonly (keyof BuildFunctions)[] = [
  'initialise',
  'crc32cPages',
  'mark',
  'release',
  'take',
  'takeZeroed',
  'internNames',
  'rehash',
  'recordNames',
  'makeKeys',
  'nameBytes',
  'setKey',
  'spreadNames',
  'sortBuckets',
  'encodeNames',
  'startGrams',
  'collectGrams',
  'countGrams',
  'listGrams',
  'writePostings',
  'countHeavyGrams',
  'startTrie',
  'sampleBytes',
  'sampleText',
  'startPlaces',
  'countCandidates',
  'keepCandidates',
  'followPlaces',
  'countSubstrings',
  'packValues',
  'measureGroups',
  'packGroups',
  'anySet',
  'encodeSizes',
  'limitSizes',
  'dropZeros',
  'countUnknown',
  'encodeSeconds',
  'gatherF64',
  'gatherU32',
  'gatherU8',
  'radixPass',
  'extremeRows',
  'countingOrder',
  'orderFiles',
  'rowsOfNames',
  'startMerge',
  'mergeNames',
]

/** Pages of 64 KiB that the module asks for at least and at most: package.json's script has the same numbers. */
const FIRST_PAGES = 3
const MOST_PAGES = 65_536

function isBuildFunctions(exports: object): exports is BuildFunctions {
  return NAMES.every(name => typeof Reflect.get(exports, name) === 'function')
}

/**
 * The functions over a new memory, or undefined where WebAssembly has no vectors or shared memories. `memory` is shared because
 * arrays over it then stay valid when it grows; nothing but this thread sees it. Cost: some 5 ms.
 */
export function instantiateBuild(): { memory: WebAssembly.Memory; functions: BuildFunctions } | undefined {
  const bytes = readFileSync(new URL('../../generated/build-kernels.wasm', import.meta.url))
  let module: WebAssembly.Module
  try {
    module = new WebAssembly.Module(bytes)
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined
    throw error
  }
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES, shared: true })
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  if (!isBuildFunctions(exports)) {
    throw new TypeError('build-kernels.wasm was built from other sources: run the generate script')
  }
  exports.initialise()
  return { memory, functions: exports }
}
