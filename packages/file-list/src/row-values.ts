import { Kind } from '@hotpath/model'

/** Kind of a row whose list does not say whether it is a directory. */
export const KIND_UNKNOWN = 0xff

/** Times that a list can hold; the index of a time in `RowValues`. */
export const LIST_TIMES = ['modified', 'created', 'accessed'] as const
export type ListTime = (typeof LIST_TIMES)[number]

/** What a row says besides its path. One object is used again for every row. */
export class RowValues {
  kind: number = KIND_UNKNOWN
  /** Bytes, NaN where unknown. */
  size = Number.NaN
  attributes = 0
  readonly seconds = new Float64Array(LIST_TIMES.length).fill(Number.NaN)
  readonly ticks = new Uint32Array(LIST_TIMES.length)

  clear(): void {
    this.kind = KIND_UNKNOWN
    this.size = Number.NaN
    this.attributes = 0
    for (let i = 0; i < LIST_TIMES.length; i++) {
      this.seconds[i] = Number.NaN
      this.ticks[i] = 0
    }
  }
}

/** Attribute bits of Windows that a kind is read from and written as. */
export const ATTRIBUTE_DIRECTORY = 0x10
export const ATTRIBUTE_DEVICE = 0x40
export const ATTRIBUTE_NORMAL = 0x80
export const ATTRIBUTE_REPARSE_POINT = 0x400

/** Directory before all, so that a junction keeps what the list holds below it; other reparse points are symlinks. */
export function kindOfAttributes(attributes: number): Kind {
  if (attributes & ATTRIBUTE_DIRECTORY) return Kind.directory
  if (attributes & ATTRIBUTE_REPARSE_POINT) return Kind.symlink
  return attributes & ATTRIBUTE_DEVICE ? Kind.other : Kind.file
}

/** The attributes as stored, corrected so that `kindOfAttributes` gives `kind`. */
export function attributesOfKind(kind: number, stored: number): number {
  const others = stored & ~(ATTRIBUTE_DIRECTORY | ATTRIBUTE_DEVICE | ATTRIBUTE_REPARSE_POINT)
  switch (kind) {
    case Kind.directory:
      return (others | ATTRIBUTE_DIRECTORY | (stored & ATTRIBUTE_REPARSE_POINT)) >>> 0
    case Kind.symlink:
      return (others | ATTRIBUTE_REPARSE_POINT) >>> 0
    case Kind.other:
      return (others | ATTRIBUTE_DEVICE) >>> 0
    default:
      return (others === 0 ? ATTRIBUTE_NORMAL : others) >>> 0
  }
}
