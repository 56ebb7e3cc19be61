/**
 * Numbers of the change journal (Microsoft, winioctl.h: USN_RECORD_V2, USN_RECORD_V3, USN_RECORD_V4, USN_JOURNAL_DATA; [MS-FSCC] 2.3.62;
 * `$Max` and the pages of `$J`: linux-ntfs and libfsntfs documentation). All fields are little-endian. `docs/usn.md` has the same tables.
 */

/** Records are written page by page; what does not fit leaves zeros to the next multiple. */
export const PAGE = 4_096
/** Records begin and end on multiples of it. */
export const ALIGNMENT = 8
/** Longest name that NTFS has: 255 units. */
export const MAX_NAME_BYTES = 510
/** A length beyond that of a page is no record: the longest with a name has 592 bytes. */
export const MAX_RECORD_BYTES = PAGE

/** What all versions begin with: u32 length with padding, u16 version. */
export const RecordHead = { length: 0, major: 4, minor: 6, bytes: 8 } as const

export interface NamedLayout {
  /** u64: 48 bits record, 16 bits sequence; V3: 128 bits, of which NTFS uses the lower half. */
  readonly reference: number
  readonly parent: number
  readonly usn: number
  /** FILETIME. */
  readonly time: number
  readonly reasons: number
  readonly sourceInfo: number
  readonly attributes: number
  /** u16, u16: bytes of the name, and where it begins. */
  readonly nameBytes: number
  readonly nameOffset: number
  /** Where it begins as a rule. */
  readonly bytes: number
  readonly referenceBytes: number
}

export const RecordV2: NamedLayout = {
  reference: 8,
  parent: 16,
  usn: 24,
  time: 32,
  reasons: 40,
  sourceInfo: 44,
  attributes: 52,
  nameBytes: 56,
  nameOffset: 58,
  bytes: 60,
  referenceBytes: 8,
}

export const RecordV3: NamedLayout = {
  reference: 8,
  parent: 24,
  usn: 40,
  time: 48,
  reasons: 56,
  sourceInfo: 60,
  attributes: 68,
  nameBytes: 72,
  nameOffset: 74,
  bytes: 76,
  referenceBytes: 16,
}

/** Ranges of a file that were written (u16 how many, u16 bytes of each): no name, no time. A V3 record of the same file follows. */
export const RecordV4 = { usn: 40, extents: 60, extentBytes: 62, bytes: 64 } as const

/** `$Max`: u64 each, the last one signed. */
export const Settings = { maximumSize: 0, allocationDelta: 8, id: 16, lowestValidUsn: 24, bytes: 32 } as const

/** USN_REASON_ flags. They add up until the file is closed. */
export const Reason = {
  dataOverwrite: 0x1,
  dataExtend: 0x2,
  dataTruncation: 0x4,
  namedDataOverwrite: 0x10,
  namedDataExtend: 0x20,
  namedDataTruncation: 0x40,
  fileCreate: 0x100,
  fileDelete: 0x200,
  eaChange: 0x400,
  securityChange: 0x800,
  renameOldName: 0x1000,
  renameNewName: 0x2000,
  indexableChange: 0x4000,
  basicInfoChange: 0x8000,
  /** A name came or went: which, it does not say. */
  hardLinkChange: 0x10000,
  compressionChange: 0x20000,
  encryptionChange: 0x40000,
  objectIdChange: 0x80000,
  reparsePointChange: 0x100000,
  streamChange: 0x200000,
  transactedChange: 0x400000,
  close: 0x80000000,
} as const

/** Names came, went or changed. */
export const NAME_REASONS =
  Reason.fileCreate | Reason.fileDelete | Reason.renameOldName | Reason.renameNewName | Reason.hardLinkChange

export const FILE_ATTRIBUTE_DIRECTORY = 0x10

/** USN_JOURNAL_DATA: V0 ends with `allocationDelta`, V1 with the versions of records, V2 has all. u64 and i64 but where said. */
export const JournalData = {
  id: 0,
  firstUsn: 8,
  nextUsn: 16,
  lowestValidUsn: 24,
  maxUsn: 32,
  maximumSize: 40,
  allocationDelta: 48,
  /** u16. */
  minMajor: 56,
  /** u16. */
  maxMajor: 58,
  /** u32. */
  flags: 60,
  rangeChunkBytes: 64,
  rangeFileBytes: 72,
  v0Bytes: 56,
  v1Bytes: 60,
  bytes: 80,
} as const

/** What replies with records begin with: i64 the next position, or u64 the next file reference. Records follow without gaps. */
export const ReplyHead = { next: 0, bytes: 8 } as const

/** READ_USN_JOURNAL_DATA_V1. */
export const ReadRequestV1 = {
  startUsn: 0,
  reasonMask: 8,
  returnOnlyOnClose: 12,
  timeout: 16,
  bytesToWaitFor: 24,
  id: 32,
  minMajor: 40,
  maxMajor: 42,
  bytes: 48,
} as const

/** MFT_ENUM_DATA_V1. */
export const EnumRequestV1 = { start: 0, lowUsn: 8, highUsn: 16, minMajor: 24, maxMajor: 26, bytes: 32 } as const

/** NTFS_FILE_RECORD_OUTPUT_BUFFER: u64 the reference, u32 bytes of the record, which follows. */
export const RecordReply = { reference: 0, length: 8, record: 12 } as const

/** FILE_ID_BOTH_DIR_INFO, as far as it is used: u32 distance to the next one (0: none), u32 bytes of the name, u64 the reference. */
export const DirectoryEntry = { next: 0, nameBytes: 60, reference: 96, name: 104 } as const

/** NTFS_VOLUME_DATA_BUFFER, as far as it is used. */
export const VolumeData = { serial: 0, recordBytes: 48, tableBytes: 56, bytes: 96 } as const
