// Times name verification over the distinct names of a list of paths: node bench/verify-blocks.mjs PATHS.txt
// Prints nanoseconds per name (best and median of the rounds) of the WebAssembly and the plain kernels.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { BLOCK_NAMES, keyOf, writeNamesBlock } from '@hotpath/index-format'
import { compileNameProgram, createKernels, loadWasm, WASM_PAGE } from '../dist/index.js'

const file = process.argv[2]
if (file === undefined) {
  process.stderr.write('usage: node bench/verify-blocks.mjs PATHS.txt\n')
  process.exit(2)
}
const { set, offsets, section } = dictionary(readFileSync(file))
const scratchBytes = 32 << 20
const memoryPages = Math.ceil((scratchBytes + section.length + offsets.length * 4) / WASM_PAGE) + 8
const blocks = offsets.length - 1
print(`${set.count} names, ${blocks} blocks, ${(section.length / 1e6).toFixed(1)} MB`)

const utf8 = new TextEncoder()
const contains = text => ({ kind: 'contains', subject: 'key', text: utf8.encode(text) })
const spelled = text => ({ kind: 'contains', subject: 'original', text: utf8.encode(text) })
const queries = {
  a: contains('a'),
  us: contains('us'),
  html: contains('html'),
  config: contains('config'),
  '.png': contains('.png'),
  '.png at the end': { kind: 'suffix', subject: 'key', text: utf8.encode('.png') },
  'ext:png;jpg;gif': { kind: 'extension', subject: 'key', extensions: ['png', 'jpg', 'gif'].map(e => utf8.encode(e)) },
  'lib config': { kind: 'all', parts: [contains('lib'), contains('config')] },
  'a e': { kind: 'all', parts: [contains('a'), contains('e')] },
  'case:README': { kind: 'all', parts: [contains('readme'), spelled('README')] },
  'l*b.so': { kind: 'glob', subject: 'key', pattern: Uint16Array.from([0x6c, 0x101, ...utf8.encode('b.so')]) },
}
const module = loadWasm()
const fast = kernels(module)
const plain = kernels(undefined)
for (const [name, condition] of Object.entries(queries)) {
  const wasm = measure(fast, condition, 9)
  const twin = measure(plain, condition, 2)
  if (wasm.matches !== twin.matches) throw new Error(`${name}: ${wasm.matches} and ${twin.matches} matches`)
  print(
    `${name.padEnd(16)} ${String(wasm.matches).padStart(8)} names  wasm ${wasm.best.toFixed(1).padStart(5)} / ${wasm.median.toFixed(1).padStart(5)} ns` +
      `  plain ${twin.best.toFixed(0).padStart(4)} ns`,
  )
}
checksums()

/** Distinct base names in blocks. Strings here are bytes (latin1), so that their order is the order of bytes. */
function dictionary(paths) {
  const distinct = new Set()
  for (const line of paths.toString('latin1').split('\n')) {
    const path = line.endsWith('/') ? line.slice(0, -1) : line
    if (path !== '') distinct.add(path.slice(path.lastIndexOf('/') + 1))
  }
  const rows = [...distinct].map(name => ({
    name,
    key: Buffer.from(keyOf(Buffer.from(name, 'latin1'))).toString('latin1'),
  }))
  rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.name < b.name ? -1 : 1))
  const set = strings(rows.map(row => row.name))
  const keys = strings(rows.map(row => row.key))
  const order = Uint32Array.from(rows, (_, i) => i)
  const offsets = new Uint32Array(Math.ceil(rows.length / BLOCK_NAMES) + 1)
  const bytes = new Uint8Array(set.bytes.length + keys.bytes.length + rows.length * 5)
  let at = 0
  for (let block = 0; block < offsets.length - 1; block++) {
    const to = Math.min(rows.length, (block + 1) * BLOCK_NAMES)
    at = writeNamesBlock(bytes, at, set, keys, order, block * BLOCK_NAMES, to)
    offsets[block + 1] = at
  }
  return { set: { count: rows.length }, offsets, section: bytes.subarray(0, at) }
}

function strings(items) {
  const offsets = new Uint32Array(items.length + 1)
  items.forEach((item, i) => {
    offsets[i + 1] = offsets[i] + item.length
  })
  return { bytes: Buffer.from(items.join(''), 'latin1'), offsets }
}

function kernels(module) {
  const k = createKernels({ memoryPages, scratchBytes, module })
  const names = { at: k.mappingStart, length: section.length }
  const table = { at: (names.at + names.length + 127) & ~63, length: offsets.length * 4 }
  k.bytes.set(section, names.at)
  k.bytes.set(new Uint8Array(offsets.buffer), table.at)
  return { k, dictionary: { names, offsets: table, nameCount: set.count } }
}

function measure({ k, dictionary }, condition, rounds) {
  const times = []
  let matches = 0
  for (let round = 0; round < rounds; round++) {
    k.scratch.reset()
    const program = k.place(compileNameProgram(condition))
    const out = k.takeIds(dictionary.nameCount + BLOCK_NAMES)
    const start = performance.now()
    matches = k.verifyBlocks({ program, dictionary, blocks: { from: 0, to: blocks }, out }).matches
    times.push(((performance.now() - start) * 1e6) / dictionary.nameCount)
  }
  times.sort((a, b) => a - b)
  return { matches, best: times[0], median: times[times.length >> 1] }
}

function checksums() {
  const length = section.length - (section.length % 4096)
  for (const [name, { k, dictionary }] of [
    ['wasm', fast],
    ['plain', plain],
  ]) {
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 5; round++) {
      const start = performance.now()
      k.crc32cPages({ at: dictionary.names.at, length }, 4096)
      best = Math.min(best, performance.now() - start)
    }
    print(`crc32c of pages, ${name}: ${(length / best / 1e6).toFixed(2)} GB/s`)
  }
}

function print(line) {
  process.stdout.write(`${line}\n`)
}
