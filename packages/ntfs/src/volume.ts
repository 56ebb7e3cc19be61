import {
  type AttributeHeader,
  attributesOf,
  extentsOf,
  isExtensionOf,
  type ListedAttribute,
  MAX_LIST_BYTES,
  openRecord,
  parseAttributeList,
  residentValue,
  sequenceOf,
} from './attribute.js'
import { BOOT_SECTOR_BYTES, type Geometry, parseBootSector } from './boot-sector.js'
import { damage, type VolumeBytes } from './damage.js'
import { AttributeType, MAX_RECORDS, MFT_RECORD, Record } from './layout.js'
import { SPARSE } from './run-list.js'
import { type Reading, type ReadRequest, type RecordPart, readStream, Stream } from './stream.js'

const ROW_TYPES: readonly number[] = [
  AttributeType.standardInformation,
  AttributeType.fileName,
  AttributeType.reparsePoint,
]

/** An NTFS volume that was opened: its layout, and where its master file table is. */
export class Volume {
  private constructor(
    /** File or device, for messages. */
    readonly file: string,
    readonly geometry: Geometry,
    /** `$MFT`. */
    readonly table: Stream,
  ) {}

  /** Records that the master file table has room for. */
  get records(): number {
    return Math.min(MAX_RECORDS, Math.floor(this.table.bytes / this.geometry.recordBytes))
  }

  /**
   * Finds the master file table, also where its own description lies in several records. If its first record cannot be used, its copy is.
   *
   * @throws CorruptFileError
   */
  static *open(file: string): Reading<Volume> {
    const boot = (yield { offset: 0, length: BOOT_SECTOR_BYTES }).slice()
    const geometry = parseBootSector({ file, bytes: boot, offset: 0 })
    const first = yield* readFirstRecord(file, geometry)
    const part = attributesIn(first).find(
      ({ type, name, lowestVcn }) => type === AttributeType.data && name === '' && lowestVcn === 0,
    )
    if (part === undefined || part.isResident)
      throw damage(first, 0, 'the data of $MFT', 'no attribute that says where they are')
    const table = new Stream(geometry.clusterBytes, part.dataBytes)
    table.append(extentsOf(first, part, geometry.clusters))
    const volume = new Volume(file, geometry, table)
    yield* volume.#continueStream(table, first, MFT_RECORD, AttributeType.data, '')
    if (table.clusters * geometry.clusterBytes < table.bytes)
      throw damage(first, part.at, `${table.bytes} bytes of $MFT`, `places of ${table.clusters} clusters`)
    yield endOfLast(first, part.at, table)
    return volume
  }

  /** Reads a record and undoes its fix-ups. Throws CorruptFileError if it is not in use or damaged. */
  *record(number: number): Reading<VolumeBytes> {
    const { recordBytes } = this.geometry
    const bytes = yield* this.storedRecord(number)
    const record = { file: this.file, bytes, offset: this.offsetOf(number) }
    if (bytes.length < recordBytes) throw damage(record, 0, `record ${number} of $MFT`, `${this.records} records`)
    openRecord(record)
    return record
  }

  /** A record as it is stored, in an array of its own; shorter where the table ends. */
  *storedRecord(number: number): Reading<Uint8Array> {
    const { recordBytes } = this.geometry
    const found = new Uint8Array(recordBytes)
    let at = 0
    for (const { offset, length } of this.table.ranges(number * recordBytes, recordBytes)) {
      if (offset !== SPARSE) found.set(yield { offset, length, record: { number, at, bytes: recordBytes } }, at)
      at += length
    }
    return found.subarray(0, at)
  }

  /** Where a record begins on the volume. */
  offsetOf(number: number): number {
    for (const { offset } of this.table.ranges(number * this.geometry.recordBytes, 1)) return offset
    return 0
  }

  /**
   * A stream of a file; undefined if it has none of this type and name. A resident value is read at once.
   *
   * @param type of the attribute
   */
  *stream(number: number, type: number, name: string): Reading<Stream | Uint8Array | undefined> {
    const base = yield* this.record(number)
    const attributes = attributesIn(base)
    let found = attributes.find(other => isFirstPart(other, type, name))
    let holder = base
    if (found === undefined) {
      const listed = (yield* this.#listOf(base)).find(other => isFirstPart(other, type, name))
      if (listed === undefined) return undefined
      holder = yield* this.#extension(listed.record, base, number)
      found = attributesIn(holder).find(other => isFirstPart(other, type, name))
    }
    if (found === undefined) return undefined
    if (found.isResident) return residentValue(holder, found).slice()
    const stream = new Stream(this.geometry.clusterBytes, found.dataBytes, found.validBytes)
    stream.append(extentsOf(holder, found, this.geometry.clusters))
    yield* this.#continueStream(stream, base, number, type, name)
    return stream
  }

  /** Adds what is mapped by later parts of an attribute, in other records. */
  *#continueStream(stream: Stream, base: VolumeBytes, number: number, type: number, name: string): Reading<void> {
    const listed = (yield* this.#listOf(base))
      .filter(other => other.type === type && other.name === name && other.lowestVcn > 0)
      .sort((a, b) => a.lowestVcn - b.lowestVcn)
    for (const { record, lowestVcn } of listed) {
      const holder = record === number ? base : yield* this.#extension(record, base, number)
      const part = attributesIn(holder).find(
        other => other.type === type && other.name === name && other.lowestVcn === lowestVcn && !other.isResident,
      )
      if (part === undefined) throw damage(holder, 0, `the part of ${number} from cluster ${lowestVcn} on`, 'none')
      if (lowestVcn !== stream.clusters)
        throw damage(holder, part.at, `the part from cluster ${stream.clusters} on`, `one from ${lowestVcn} on`)
      const extents = extentsOf(holder, part, this.geometry.clusters)
      // Else as many entries as a list has could name it.
      if (extents.length === 0) throw damage(holder, part.at, 'clusters of a stream', 'none')
      stream.append(extents)
    }
  }

  /** A record that continues another one. */
  *#extension(record: number, base: VolumeBytes, number: number): Reading<VolumeBytes> {
    const holder = yield* this.record(record)
    if (!isExtensionOf(holder.bytes, number, sequenceOf(base.bytes)))
      throw damage(holder, Record.base, `a continuation of record ${number}`, 'one of another record')
    return holder
  }

  *#listOf(base: VolumeBytes): Reading<ReturnType<typeof parseAttributeList>> {
    const list = attributesIn(base).find(({ type }) => type === AttributeType.attributeList)
    if (list === undefined) return []
    if (list.isResident) {
      const bytes = residentValue(base, list)
      return parseAttributeList({ file: this.file, bytes, offset: base.offset + list.at })
    }
    const stream = new Stream(this.geometry.clusterBytes, list.dataBytes)
    stream.append(extentsOf(base, list, this.geometry.clusters))
    const bytes = yield* readStream(stream, 0, Math.min(list.dataBytes, MAX_LIST_BYTES + 1))
    return parseAttributeList({ file: this.file, bytes, offset: base.offset + list.at })
  }

  /**
   * Numbers of the records that hold what a listing tells of a node, its base record first. Most records of a large file only
   * say where its later parts lie.
   *
   * @param base the base record
   * @param streams what a listing tells of alternate streams, too
   */
  *recordsOf(base: VolumeBytes, number: number, streams = false): Reading<number[]> {
    const numbers = new Set([number])
    for (const listed of yield* this.#listOf(base))
      if (isOfRows(listed, streams) && listed.record < this.records) numbers.add(listed.record)
    return [...numbers]
  }
}

/**
 * The last cluster of `$MFT` on the volume, which is there to be read. So the table is no larger than the volume is, whatever
 * its size is said to be: it has no holes, and no cluster twice.
 */
function endOfLast(record: VolumeBytes, at: number, { extents, clusterBytes }: Stream): ReadRequest {
  let end = 0
  for (const { cluster, clusters } of [...extents].sort((a, b) => a.cluster - b.cluster)) {
    if (cluster === SPARSE) throw damage(record, at, '$MFT without holes', `a hole of ${clusters} clusters`)
    if (cluster < end) throw damage(record, at, 'clusters that are used once', `cluster ${cluster} twice`)
    end = cluster + clusters
  }
  if (end === 0) throw damage(record, at, 'clusters of $MFT', 'none')
  return { offset: (end - 1) * clusterBytes, length: clusterBytes }
}

function attributesIn(record: VolumeBytes): AttributeHeader[] {
  return [...attributesOf(record)]
}

/** Whether rows are made of an attribute. */
function isOfRows({ type, name, lowestVcn }: ListedAttribute, streams: boolean): boolean {
  if (type === AttributeType.data) return (streams || name === '') && lowestVcn === 0
  return ROW_TYPES.includes(type)
}

function isFirstPart(
  attribute: Pick<AttributeHeader, 'type' | 'name' | 'lowestVcn'>,
  type: number,
  name: string,
): boolean {
  return attribute.type === type && attribute.name === name && attribute.lowestVcn === 0
}

function* readFirstRecord(file: string, geometry: Geometry): Reading<VolumeBytes> {
  const { clusterBytes, recordBytes, mftCluster, mirrorCluster } = geometry
  const part = { number: MFT_RECORD, at: 0, bytes: recordBytes }
  const read = function* (cluster: number, record?: RecordPart): Reading<VolumeBytes> {
    const offset = cluster * clusterBytes
    const bytes = (yield { offset, length: recordBytes, ...(record && { record }) }).slice()
    const first = { file, bytes, offset }
    openRecord(first)
    if (new DataView(bytes.buffer).getUint32(Record.base, true) !== 0)
      throw damage(first, Record.base, 'the base record of $MFT', 'an extension')
    return first
  }
  try {
    return yield* read(mftCluster, part)
  } catch (error) {
    try {
      return yield* read(mirrorCluster)
    } catch {
      throw error
    }
  }
}
