import type { Random } from '@hotpath/index-format/testing'
import { AttributeType } from '../layout.js'
import {
  attributeList,
  fileName,
  type RecordParts,
  type Reference,
  resident,
  standardInformation,
} from './record-builder.js'
import { EXTEND, ROOT } from './volume-builder.js'

const FIRST_RECORD = 24
/** Of a record of 1,024 bytes, less its header and end. */
const MAX_ATTRIBUTE_BYTES = 950
/** Records that are near each other: 16; how often one is in the directory of the one before. */
const GROUP_BITS = 4
const FAVOURITE = 0.6
const STREAM_NAMES = ['s', 'größe', '\ud83d', ':']
const NAMES = ['a', 'B', 'größe', '漢字.txt', '\ud83d\ude00', '\ud83d', '\udc00x', 'n'.repeat(40), 'f.tar.gz', '.']

interface Node extends Reference {
  readonly isDirectory: boolean
  readonly size: number
  readonly names: readonly { readonly parent: Reference; readonly name: string }[]
  readonly streams: readonly { readonly name: string; readonly size: number }[]
}

export interface RandomVolume {
  readonly records: ReadonlyMap<number, RecordParts>
  /** What a listing has: path, bytes, record, sequence, directory; sorted. */
  readonly lines: readonly string[]
  /** And with alternate streams. */
  readonly linesWithStreams: readonly string[]
}

/**
 * A tree whose records stand in any order: files with several names, nodes in several records, directories that are gone, that were reused
 * or that are none, rings, and what lies below `$Extend`. Names are different from each other.
 */
export function randomVolume(random: Random, maxNodes = 40): RandomVolume {
  const numbers = shuffled(
    random,
    Array.from({ length: 3 * maxNodes }, (_, i) => FIRST_RECORD + i),
  )
  const references = numbers.map(record => ({ record, sequence: 1 + random.below(3) }))
  const count = random.below(maxNodes + 1)
  const isDirectory = references.map((_, i) => i < count * 0.5)
  const places = references.slice(0, count)
  // Many names whose records follow each other are in the same directory.
  const favourites = new Map<number, Reference>()
  const parentNear = (record: number): Reference => {
    const group = record >> GROUP_BITS
    const known = random.chance(FAVOURITE) ? favourites.get(group) : undefined
    const parent = known ?? randomParent(random, places, isDirectory)
    favourites.set(group, parent)
    return parent
  }
  const nodes = places.map((reference, i): Node => {
    const names = Array.from({ length: random.chance(0.2) ? 1 + random.below(4) : 1 }, (_, k) => ({
      parent: parentNear(reference.record),
      name: `${random.pick(NAMES)}-${i}-${k}`,
    }))
    const streams = Array.from({ length: random.chance(0.2) ? 1 + random.below(2) : 0 }, (_, k) => ({
      name: `${random.pick(STREAM_NAMES)}${k}`,
      size: random.below(90),
    }))
    return { ...reference, isDirectory: isDirectory[i]!, size: random.below(90), names, streams }
  })
  const records = new Map<number, RecordParts>()
  const spare = references.slice(count)
  for (const node of nodes) for (const [number, parts] of recordsOf(random, node, spare)) records.set(number, parts)
  return { records, lines: linesOf(nodes, false), linesWithStreams: linesOf(nodes, true) }
}

function randomParent(random: Random, places: readonly Reference[], isDirectory: readonly boolean[]): Reference {
  const roll = random.below(20)
  const any = random.pick(places)
  if (roll === 0) return { ...any, sequence: any.sequence + 1 }
  if (roll === 1) return any
  if (roll === 2) return { record: any.record + 2 ** 32, sequence: 1 }
  if (roll === 3) return { record: random.pick([7, 500, 2 ** 31 + 5, 2 ** 32 - 2, 2 ** 32 - 1]), sequence: 1 }
  if (roll === 4) return EXTEND
  if (roll < 8) return ROOT
  const directories = places.filter((_, i) => isDirectory[i])
  return directories.length === 0 ? ROOT : random.pick(directories)
}

/** One record, or several that an attribute list names. */
function* recordsOf(random: Random, node: Node, spare: Reference[]): Generator<[number, RecordParts]> {
  const { record, sequence, isDirectory, size } = node
  const names = node.names.map(({ parent, name }) => fileName(parent, name))
  const data = isDirectory ? [] : [resident(AttributeType.data, new Uint8Array(size))]
  const streams = node.streams.map(stream => ({
    attribute: resident(AttributeType.data, new Uint8Array(stream.size), stream.name),
    name: stream.name,
  }))
  const common = { sequence, isDirectory }
  const whole = [standardInformation(), ...names, ...data, ...streams.map(({ attribute }) => attribute)]
  if (random.chance(0.8) && whole.reduce((sum, { length }) => sum + length, 0) <= MAX_ATTRIBUTE_BYTES) {
    yield [record, { ...common, attributes: whole }]
    return
  }
  // Of a directory the first name counts.
  const unnamed = (attribute: Uint8Array) => ({ attribute, name: '' })
  const attributes = isDirectory
    ? [...names.map(unnamed), ...streams]
    : shuffled(random, [...[...names, ...data].map(unnamed), ...streams])
  const extensions = attributes.map(part => ({ ...part, at: spare.pop()! }))
  const types = extensions.map(({ attribute, name, at }) => ({ type: attribute[0]!, name, ...at }))
  const list = resident(AttributeType.attributeList, attributeList([{ type: 0x10, record, sequence }, ...types]))
  yield [record, { ...common, attributes: [standardInformation(), list] }]
  for (const { attribute, at } of extensions)
    yield [at.record, { sequence: at.sequence, base: node, attributes: [attribute] }]
}

/** The naive way: a path for each name, from its directory's. Rings are opened at their lowest record. */
function linesOf(nodes: readonly Node[], withStreams: boolean): string[] {
  const directories = new Map(nodes.filter(node => node.isDirectory).map(node => [node.record, node]))
  const opened = new Set<Node>()
  const directoryAt = ({ record, sequence }: Reference): Node | undefined => {
    const found = directories.get(record)
    return found?.sequence === sequence ? found : undefined
  }
  const lines = new Set<string>()
  const lost = (parent: Reference): string => {
    const record = parent.record >= 2 ** 32 ? 2 ** 32 - 1 : parent.record
    const path = `<orphaned>/${record}-${parent.sequence}`
    lines.add(['<orphaned>', 0, 0, 0, 1].join('\t')).add([path, 0, record, parent.sequence, 1].join('\t'))
    return path
  }
  // Undefined: below $Extend.
  const pathOf = ({ parent, name }: Node['names'][number], isOpened = false): string | undefined => {
    if (parent === ROOT) return name
    if (parent === EXTEND) return undefined
    const directory = isOpened ? undefined : directoryAt(parent)
    if (directory === undefined) return `${lost(parent)}/${name}`
    const above = pathOf(directory.names[0]!, opened.has(directory))
    return above === undefined ? undefined : `${above}/${name}`
  }
  // A directory that is above itself, and has the lowest record number of those that are.
  for (const node of directories.values()) {
    const ring: Node[] = [node]
    const above = () => directoryAt(ring.at(-1)!.names[0]!.parent)
    for (let at = above(); at !== undefined && at !== node && ring.length <= nodes.length; at = above()) ring.push(at)
    if (above() === node && ring.every(({ record }) => record >= node.record)) opened.add(node)
  }
  for (const node of nodes)
    for (const name of node.isDirectory ? node.names.slice(0, 1) : node.names) {
      const path = pathOf(name, opened.has(node))
      if (path === undefined) continue
      lines.add(
        [bytesOf(path), node.isDirectory ? 0 : node.size, node.record, node.sequence, +node.isDirectory].join('\t'),
      )
      if (!withStreams) continue
      for (const stream of node.streams)
        lines.add([bytesOf(`${path}:${stream.name}`), stream.size, node.record, node.sequence, 0].join('\t'))
    }
  return [...lines].sort()
}

/** WTF-8 as characters. */
function bytesOf(path: string): string {
  const parts = path.match(/[\ud800-\udbff][\udc00-\udfff]|[\s\S]/g) ?? []
  return parts
    .map(part => {
      const unit = part.charCodeAt(0)
      const isLone = part.length === 1 && (unit & 0xf800) === 0xd800
      const bytes = isLone
        ? [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]
        : Buffer.from(part)
      return Buffer.from(bytes).toString('latin1')
    })
    .join('')
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const all = [...values]
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}
