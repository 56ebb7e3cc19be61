/**
 * Numbers of NTFS's on-disk structures (Microsoft: "Master File Table", "ATTRIBUTE_RECORD_HEADER", "FILE_RECORD_SEGMENT_HEADER",
 * "FILE_NAME", "ATTRIBUTE_LIST_ENTRY", "STANDARD_INFORMATION", and [MS-FSCC] for reparse tags). All fields are little-endian.
 */

/** Records that are update-sequence protected hold one word of it at the end of each 512 bytes, whatever the sector size. */
export const STRIDE = 512

/** FILE_RECORD_SEGMENT_HEADER: positions. */
export const Record = {
  /** u32 `FILE`, or `BAAD` where a check of the disk has failed. */
  magic: 0,
  /** u16, u16: position and words (one more than strides) of the update sequence array. */
  fixUpOffset: 4,
  fixUpCount: 6,
  /** u16: how often the record was reused. */
  sequence: 16,
  firstAttribute: 20,
  flags: 22,
  usedBytes: 24,
  /** u64: reference of the base record; 0: this is one. */
  base: 32,
  headerBytes: 48,
} as const

export const FILE_MAGIC = 0x454c4946
export const RecordFlag = { inUse: 1, directory: 2 } as const

/** ATTRIBUTE_RECORD_HEADER: positions. */
export const Attribute = {
  type: 0,
  length: 4,
  nonResident: 8,
  nameUnits: 9,
  nameOffset: 10,
  flags: 12,
  /** Resident: u32, u16. */
  valueLength: 16,
  valueOffset: 20,
  /** Non-resident: u64, u64, u16, u64, u64. */
  lowestVcn: 16,
  highestVcn: 24,
  runsOffset: 32,
  dataBytes: 48,
  validBytes: 56,
  residentBytes: 24,
  nonResidentBytes: 64,
} as const

export const AttributeType = {
  standardInformation: 0x10,
  attributeList: 0x20,
  fileName: 0x30,
  data: 0x80,
  indexRoot: 0x90,
  indexAllocation: 0xa0,
  bitmap: 0xb0,
  reparsePoint: 0xc0,
  end: 0xffffffff,
} as const

/** STANDARD_INFORMATION: four times (FILETIME), then the attributes of the file (u32). */
export const StandardInformation = {
  created: 0,
  modified: 8,
  changed: 16,
  accessed: 24,
  attributes: 32,
  bytes: 36,
} as const

/** FILE_NAME: positions. */
export const FileName = { parent: 0, nameUnits: 64, namespace: 65, name: 66 } as const
/** A short name that stands beside a long one: no name of its own. */
export const NAMESPACE_DOS = 2

/** ATTRIBUTE_LIST_ENTRY: positions. */
export const ListEntry = {
  type: 0,
  length: 4,
  nameUnits: 6,
  lowestVcn: 8,
  /** u64: reference of the record that holds the attribute. */
  reference: 16,
  bytes: 26,
} as const

/** `$INDEX_ROOT`: u32 bytes of a node in `$INDEX_ALLOCATION`; then the header of the root node. */
export const IndexRoot = { nodeBytes: 8, header: 16 } as const
/** A node in `$INDEX_ALLOCATION`: magic and fix-ups as a record has them; u64 where it lies, then its header. */
export const IndexNode = { magic: 0, vcn: 16, header: 24 } as const
export const INDX_MAGIC = 0x58444e49
/** u32, u32: first entry and end of the entries, from the header on. */
export const IndexHeader = { entries: 0, end: 4, bytes: 16 } as const
/** u64 reference, u16 length, u16 bytes of the key (a FILE_NAME), u16 flags; in the last 8 bytes, where there is one, the place of the node below. */
export const IndexEntry = { reference: 0, length: 8, keyBytes: 10, flags: 12, key: 16 } as const
export const EntryFlag = { hasNode: 1, isLast: 2 } as const

/** Tags of reparse points that are symbolic links. */
export const ReparseTag = { symlink: 0xa000000c, linuxSymlink: 0xa000001d } as const

/** Records of the volume's own files. */
export const MFT_RECORD = 0
export const ROOT_RECORD = 5
export const EXTEND_RECORD = 11
/** Records below are reserved for NTFS itself. */
export const FIRST_USER_RECORD = 24
/** Records that the volume may have (Microsoft: files of a volume). The number above stands for what is no record. */
export const MAX_RECORDS = 2 ** 32 - 1
