import { damage, type VolumeBytes } from './damage.js'

export const BOOT_SECTOR_BYTES = 512
/** Clusters of 2 MiB are the largest that NTFS knows. */
const MAX_CLUSTER_BYTES = 2 * 1024 * 1024
const MAX_SECTOR_BYTES = 4_096
const MIN_RECORD_BYTES = 512
const MAX_RECORD_BYTES = 65_536
const OEM_ID = 'NTFS    '

/** How a volume is laid out. */
export interface Geometry {
  readonly sectorBytes: number
  readonly clusterBytes: number
  /** Of a record of the master file table. */
  readonly recordBytes: number
  readonly clusters: number
  /** First cluster of `$MFT`. */
  readonly mftCluster: number
  /** First cluster of the copy of its first records. */
  readonly mirrorCluster: number
  /** Serial number of the volume: 16 hexadecimal digits. */
  readonly serial: string
}

/**
 * Reads the boot sector of an NTFS volume (layout: Microsoft, "How NTFS Works", BPB and extended BPB).
 *
 * @throws CorruptFileError where a field cannot be
 */
export function parseBootSector(sector: VolumeBytes): Geometry {
  const { bytes } = sector
  if (bytes.length < BOOT_SECTOR_BYTES)
    throw damage(sector, 0, `${BOOT_SECTOR_BYTES} bytes of a boot sector`, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, BOOT_SECTOR_BYTES)
  const oemId = Buffer.from(bytes.subarray(3, 11)).toString('latin1')
  if (oemId !== OEM_ID) throw damage(sector, 3, `the OEM id ${JSON.stringify(OEM_ID)}`, JSON.stringify(oemId))

  const sectorBytes = view.getUint16(11, true)
  if (!isPowerOfTwo(sectorBytes) || sectorBytes < 256 || sectorBytes > MAX_SECTOR_BYTES)
    throw damage(sector, 11, `sectors of 256 to ${MAX_SECTOR_BYTES} bytes`, sectorBytes)
  const clusterBytes = sectorBytes * sizeOf(bytes[13]!, 1)
  if (!isPowerOfTwo(clusterBytes) || clusterBytes > MAX_CLUSTER_BYTES)
    throw damage(sector, 13, `clusters of at most ${MAX_CLUSTER_BYTES} bytes`, clusterBytes)
  const recordBytes = sizeOf(bytes[64]!, clusterBytes)
  if (!isPowerOfTwo(recordBytes) || recordBytes < MIN_RECORD_BYTES || recordBytes > MAX_RECORD_BYTES)
    throw damage(sector, 64, `records of ${MIN_RECORD_BYTES} to ${MAX_RECORD_BYTES} bytes`, recordBytes)

  const sectors = readSafe(view, 40)
  if (sectors * sectorBytes > Number.MAX_SAFE_INTEGER)
    throw damage(sector, 40, `sectors of at most ${Number.MAX_SAFE_INTEGER} bytes`, sectors)
  const clusters = Math.floor((sectors * sectorBytes) / clusterBytes)
  const cluster = (at: number): number => {
    const found = readSafe(view, at)
    if (found === 0 || found >= clusters) throw damage(sector, at, `a cluster of the ${clusters} of the volume`, found)
    return found
  }
  return {
    sectorBytes,
    clusterBytes,
    recordBytes,
    clusters,
    mftCluster: cluster(48),
    mirrorCluster: cluster(56),
    serial: view.getBigUint64(72, true).toString(16).padStart(16, '0'),
  }
}

/** A count of units up to 0x80; above, the negative power of two of a size (or count) of its own. */
function sizeOf(field: number, unit: number): number {
  return field <= 0x80 ? field * unit : 2 ** (256 - field)
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}

/** 64 bits as a double: exact for everything that a volume can hold. */
function readSafe(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}
