import { InvalidInputError } from '@hotpath/model'
import { rarestPair } from './byte-frequency.js'
import { ANY_CHARACTER, ANY_CHARACTERS, type NameCondition, type Subject } from './name-condition.js'

/**
 * Compiled NameCondition, little-endian, as the kernels read it. Tests are in order; each names the test that follows if it
 * holds and if it does not, always a later one, so that `and`, `or` and `not` cost nothing and every evaluation ends.
 *
 *   header, 16 bytes
 *     0  u32  magic "HNP1"
 *     4  u32  tests
 *     8  u32  1 if any test looks at the original
 *    12  u32  bytes of the program
 *   tests, 48 bytes each
 *     0  u32  kind (LeafKind)
 *     4  u32  subject: 0 key, 1 original
 *     8  u32  next test if true, or ACCEPT or REJECT
 *    12  u32  next test if false
 *    16  u32  offset of the data in the program (a multiple of 8)
 *    20  u32  bytes of the data
 *    24  u32  text: position of the first byte to look for; extension: slots; length: min; constant: value; words: slots
 *    28  u32  text: position of the second byte; length: max
 *    32  u32  extension: number of the others
 *    36  12 zero bytes
 *   data
 *     text; glob: u16 elements; extension: `slots` × 8 bytes, an open-addressing table of those of 1 … 8 bytes without a
 *     dot (zero-filled; a slot of zeros is free), then for each of the others u16 length and bytes, with a dot in front;
 *     words: `slots` × u32, an open-addressing table of where in the data each word is (0: free), then u8 length and bytes of
 *     each
 */
export const PROGRAM_MAGIC = 0x31504e48
export const HEADER_BYTES = 16
export const LEAF_BYTES = 48
export const ACCEPT = 0xffffffff
export const REJECT = 0xfffffffe
export const LeafKind = {
  contains: 1,
  prefix: 2,
  suffix: 3,
  exact: 4,
  glob: 5,
  extension: 6,
  length: 7,
  constant: 8,
  nonAscii: 9,
  wordStart: 10,
  words: 11,
  initials: 12,
} as const

/** Tests of one program. A query of 1,024 bytes cannot hold more; the kernels refuse more. */
export const MAX_TESTS = 1024
/** Elements of a glob pattern: bounds the steps of one match to this times the length of a name. */
export const MAX_GLOB_ELEMENTS = 1024
/** Bytes of a text; longer ones cannot match any name. */
const MAX_TEXT_BYTES = 0x4000
/** Letters of `initials`: the kernels keep a bit for each number of them. */
export const MAX_INITIALS = 31
/** Words of one table, which has four slots for each. */
const MAX_WORDS = 0x400
/** Bytes of a word in a table. */
const MAX_WORD_BYTES = 0xff
/** Extensions of one set; macros have some forty. */
const MAX_EXTENSIONS = 512

interface Leaf {
  kind: number
  subject: Subject
  data: Uint8Array
  a: number
  b: number
  c: number
  onTrue: number
  onFalse: number
}

/** A target that is not known yet: leaves are made back to front, targets are positions from the end. */
type Target = number

/**
 * The program of a condition, for `Kernels.placeProgram`. Throws InvalidInputError for more than the limits above.
 * A glob is given a substring test in front, because those are ten times cheaper, and so is any condition that names cannot
 * satisfy without some text.
 */
export function compileNameProgram(condition: NameCondition): Uint8Array {
  // Back to front, so that the successors of a test exist before it. Numbers count from the end.
  const leaves: Leaf[] = []
  const last = (): Target => leaves.length
  const add = (leaf: Omit<Leaf, 'onTrue' | 'onFalse'>, onTrue: Target, onFalse: Target): Target => {
    if (leaves.length === MAX_TESTS) throw new InvalidInputError('query', `at most ${MAX_TESTS} name tests`, 'more')
    leaves.push({ ...leaf, onTrue, onFalse })
    return last()
  }
  const emit = (node: NameCondition, onTrue: Target, onFalse: Target): Target => {
    switch (node.kind) {
      case 'all': {
        let next = onTrue
        for (let i = node.parts.length - 1; i >= 0; i--) next = emit(node.parts[i], next, onFalse)
        return next
      }
      case 'any': {
        let next = onFalse
        for (let i = node.parts.length - 1; i >= 0; i--) next = emit(node.parts[i], onTrue, next)
        return next
      }
      case 'not':
        return emit(node.part, onFalse, onTrue)
      case 'constant':
        return node.value ? onTrue : onFalse
      case 'glob':
        return emitGlob(node.subject, node.pattern, onTrue, onFalse)
      default:
        return emitLeaf(node, onTrue, onFalse)
    }
  }
  const emitLeaf = (
    node: Exclude<NameCondition, { kind: 'all' | 'any' | 'not' | 'constant' | 'glob' }>,
    onTrue: Target,
    onFalse: Target,
  ): Target => {
    if (node.kind === 'extension') return add(extensionLeaf(node.subject, node.extensions), onTrue, onFalse)
    if (node.kind === 'length') {
      if (node.min <= 0 && node.max >= 0xffffffff) return onTrue
      const a = Math.min(Math.max(0, Math.ceil(node.min)), 0xffffffff)
      const b = Math.min(Math.max(0, Math.floor(node.max)), 0xffffffff)
      if (!(node.min <= node.max) || node.max < 0) return onFalse
      return add({ kind: LeafKind.length, subject: node.subject, data: NOTHING, a, b, c: 0 }, onTrue, onFalse)
    }
    if (node.kind === 'nonAscii') {
      return add({ kind: LeafKind.nonAscii, subject: node.subject, data: NOTHING, a: 0, b: 0, c: 0 }, onTrue, onFalse)
    }
    if (node.kind === 'initials') {
      if (node.letters.length === 0 || node.letters.length > MAX_INITIALS) return onFalse
      const data = node.letters
      return add({ kind: LeafKind.initials, subject: 'original', data, a: 0, b: 0, c: 0 }, onTrue, onFalse)
    }
    if (node.kind === 'words') {
      const [some, others] = [node.words.slice(0, MAX_WORDS), node.words.slice(MAX_WORDS)]
      if (some.length === 0) return onFalse
      const next = others.length > 0 ? emitLeaf({ kind: 'words', words: others }, onTrue, onFalse) : onFalse
      return add(wordsLeaf(some), onTrue, next)
    }
    if (node.text.length > MAX_TEXT_BYTES) return onFalse
    if (node.kind === 'wordStart') {
      if (node.text.length === 0) return onFalse
      return add({ kind: LeafKind.wordStart, subject: 'original', data: node.text, a: 0, b: 0, c: 0 }, onTrue, onFalse)
    }
    if (node.text.length === 0 && node.kind !== 'exact') return onTrue
    const [a, b] = node.text.length === 0 ? [0, 0] : rarestPair(node.text)
    return add({ kind: LeafKind[node.kind], subject: node.subject, data: node.text, a, b, c: 0 }, onTrue, onFalse)
  }
  const emitGlob = (subject: Subject, pattern: Uint16Array, onTrue: Target, onFalse: Target): Target => {
    const simple = withoutWildcards(subject, pattern)
    if (simple !== undefined) return emit(simple, onTrue, onFalse)
    if (pattern.length > MAX_GLOB_ELEMENTS) {
      throw new InvalidInputError('wildcard pattern', `at most ${MAX_GLOB_ELEMENTS} bytes`, `${pattern.length}`)
    }
    const data = new Uint8Array(pattern.length * 2)
    pattern.forEach((element, i) => {
      data[i * 2] = element
      data[i * 2 + 1] = element >>> 8
    })
    const glob = add({ kind: LeafKind.glob, subject, data, a: 0, b: 0, c: 0 }, onTrue, onFalse)
    return emit({ kind: 'contains', subject, text: longestLiteral(pattern) }, glob, onFalse)
  }

  // Positions from the end start at 1; the two outcomes are below.
  const start = emit(withText(condition), ACCEPT_TARGET, REJECT_TARGET)
  if (start === ACCEPT_TARGET || start === REJECT_TARGET) {
    const a = start === ACCEPT_TARGET ? 1 : 0
    add({ kind: LeafKind.constant, subject: 'key', data: NOTHING, a, b: 0, c: 0 }, ACCEPT_TARGET, REJECT_TARGET)
    return assemble(leaves)
  }
  // What was emitted first but never made a target of the start (an `any` after a constant) is unreachable: drop it.
  return assemble(leaves.slice(0, start))
}

/** The condition with a test for a text in front that every key must hold: most names fail it, and nothing is quicker. */
function withText(condition: NameCondition): NameCondition {
  if (condition.kind === 'constant' || (isText(condition) && condition.subject === 'key')) return condition
  const texts = requiredTexts(condition)
  const text = texts.reduce((a, b) => (b.length > a.length ? b : a), NOTHING)
  const first = condition.kind === 'all' ? condition.parts[0] : undefined
  const isFirst = first?.kind === 'contains' && first.subject === 'key' && first.text.length >= text.length
  if (text.length === 0 || isFirst) return condition
  return { kind: 'all', parts: [{ kind: 'contains', subject: 'key', text }, condition] }
}

/** Texts that the key of each name holds that satisfies the condition. */
function requiredTexts(condition: NameCondition): Uint8Array[] {
  switch (condition.kind) {
    case 'wordStart':
      return [condition.text]
    case 'glob':
      return condition.subject === 'key' ? [longestLiteral(condition.pattern)] : []
    case 'all':
      return condition.parts.flatMap(requiredTexts)
    case 'any': {
      const [first = [], ...others] = condition.parts.map(requiredTexts)
      return first.filter(text => others.every(texts => texts.some(other => isSame(other, text))))
    }
    default:
      return isText(condition) && condition.subject === 'key' ? [condition.text] : []
  }
}

function isText(condition: NameCondition): condition is Extract<NameCondition, { text: Uint8Array; subject: Subject }> {
  return 'text' in condition && 'subject' in condition
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => b[i] === byte)
}

const NOTHING = new Uint8Array(0)
const ACCEPT_TARGET: Target = 0
const REJECT_TARGET: Target = -1

function assemble(leaves: readonly Leaf[]): Uint8Array {
  const count = leaves.length
  let bytes = HEADER_BYTES + count * LEAF_BYTES
  for (const leaf of leaves) bytes += (leaf.data.length + 7) & ~7
  const program = new Uint8Array(bytes)
  const fields = new DataView(program.buffer)
  fields.setUint32(0, PROGRAM_MAGIC, true)
  fields.setUint32(4, count, true)
  fields.setUint32(8, leaves.some(leaf => leaf.subject === 'original') ? 1 : 0, true)
  fields.setUint32(12, bytes, true)
  const indexOf = (target: Target) =>
    target === ACCEPT_TARGET ? ACCEPT : target === REJECT_TARGET ? REJECT : count - target
  let data = HEADER_BYTES + count * LEAF_BYTES
  for (let i = 0; i < count; i++) {
    const leaf = leaves[count - 1 - i]
    const at = HEADER_BYTES + i * LEAF_BYTES
    const values = [
      leaf.kind,
      leaf.subject === 'original' ? 1 : 0,
      indexOf(leaf.onTrue),
      indexOf(leaf.onFalse),
      data,
      leaf.data.length,
      leaf.a,
      leaf.b,
      leaf.c,
    ]
    values.forEach((value, field) => {
      fields.setUint32(at + field * 4, value, true)
    })
    program.set(leaf.data, data)
    data += (leaf.data.length + 7) & ~7
  }
  return program
}

/** The cheaper test that says the same as a pattern, if there is one. */
function withoutWildcards(subject: Subject, pattern: Uint16Array): NameCondition | undefined {
  let from = 0
  let to = pattern.length
  while (from < to && pattern[from] === ANY_CHARACTERS) from++
  while (to > from && pattern[to - 1] === ANY_CHARACTERS) to--
  const inner = pattern.subarray(from, to)
  if (inner.some(element => element > 0xff)) return undefined
  const text = Uint8Array.from(inner)
  if (text.length === 0)
    return pattern.length === 0 ? { kind: 'exact', subject, text } : { kind: 'constant', value: true }
  const open = from > 0
  // A star ends between characters: a literal that begins within one (which no text of UTF-8 does) is not just searched.
  if (open && text[0] >= 0x80 && text[0] < 0xc0) return undefined
  const openEnd = to < pattern.length
  return { kind: open ? (openEnd ? 'contains' : 'suffix') : openEnd ? 'prefix' : 'exact', subject, text }
}

/** The longest run of bytes in a pattern; may be empty. */
function longestLiteral(pattern: Uint16Array): Uint8Array {
  let best = pattern.subarray(0, 0)
  for (let i = 0; i < pattern.length; i++) {
    const from = i
    while (i < pattern.length && pattern[i] !== ANY_CHARACTER && pattern[i] !== ANY_CHARACTERS) i++
    if (i - from > best.length) best = pattern.subarray(from, i)
  }
  return Uint8Array.from(best)
}

/** Bytes of an extension that fit in a slot of the table. */
const SHORT_EXTENSION = 8
/** The table is sparse, so that other extensions nearly always end at a free slot: a branch that can be predicted. */
const MIN_EXTENSION_SLOTS = 64

function extensionLeaf(subject: Subject, extensions: readonly Uint8Array[]): Omit<Leaf, 'onTrue' | 'onFalse'> {
  if (extensions.length > MAX_EXTENSIONS) {
    throw new InvalidInputError('ext:', `at most ${MAX_EXTENSIONS} extensions`, `${extensions.length}`)
  }
  // NUL fills the table and is in no name.
  const possible = extensions.filter(e => e.length < MAX_TEXT_BYTES && !e.includes(0))
  const isShort = (e: Uint8Array) => e.length > 0 && e.length <= SHORT_EXTENSION && !e.includes(0x2e)
  const short = possible.filter(isShort)
  const others = possible.filter(e => !isShort(e))
  let slots = MIN_EXTENSION_SLOTS
  while (slots < short.length * 8) slots *= 2
  const data = new Uint8Array(slots * 8 + others.reduce((sum, e) => sum + 3 + e.length, 0))
  const table = new DataView(data.buffer)
  for (const extension of short) {
    const packed = new DataView(new ArrayBuffer(8))
    extension.forEach((byte, i) => {
      packed.setUint8(i, byte)
    })
    const low = packed.getUint32(0, true)
    const high = packed.getUint32(4, true)
    let slot = extensionSlot(low, high) & (slots - 1)
    const free = () => table.getUint32(slot * 8, true) === 0 && table.getUint32(slot * 8 + 4, true) === 0
    const same = () => table.getUint32(slot * 8, true) === low && table.getUint32(slot * 8 + 4, true) === high
    while (!free() && !same()) slot = (slot + 1) & (slots - 1)
    table.setUint32(slot * 8, low, true)
    table.setUint32(slot * 8 + 4, high, true)
  }
  let at = slots * 8
  for (const extension of others) {
    table.setUint16(at, extension.length + 1, true)
    data[at + 2] = 0x2e
    data.set(extension, at + 3)
    at += 3 + extension.length
  }
  return { kind: LeafKind.extension, subject, data, a: slots, b: 0, c: others.length }
}

function wordsLeaf(words: readonly Uint8Array[]): Omit<Leaf, 'onTrue' | 'onFalse'> {
  const possible = words.filter(word => word.length > 0 && word.length <= MAX_WORD_BYTES)
  let slots = 4
  while (slots < possible.length * 4) slots *= 2
  const data = new Uint8Array(slots * 4 + possible.reduce((sum, word) => sum + 1 + word.length, 0))
  const table = new DataView(data.buffer)
  let at = slots * 4
  for (const word of possible) {
    let slot = wordSlot(word, 0, word.length) & (slots - 1)
    while (table.getUint32(slot * 4, true) !== 0) slot = (slot + 1) & (slots - 1)
    table.setUint32(slot * 4, at, true)
    data[at] = word.length
    data.set(word, at + 1)
    at += 1 + word.length
  }
  return { kind: LeafKind.words, subject: 'original', data, a: slots, b: 0, c: 0 }
}

/** Where a word is first looked for; to be masked. As in assembly/words.ts. */
export function wordSlot(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
  return hash ^ (hash >>> 15)
}

/** Where an extension of up to 8 bytes, as two u32, is first looked for; to be masked. As in assembly/name-program.ts. */
export function extensionSlot(low: number, high: number): number {
  const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77)
  return mixed ^ (mixed >>> 15)
}
