/** `tree`: a directory tree. `list`: a file list. `volume`: an NTFS file system in an image file or on a device. */
export const ROOT_KINDS = ['tree', 'list', 'volume'] as const
export type RootKind = (typeof ROOT_KINDS)[number]

/** A thing that is indexed. `id` is stable over restarts: it is derived from kind and path. */
export interface RootSpec {
  readonly id: string
  readonly kind: RootKind
  /** Absolute path of the directory, the list file, the image or the device. */
  readonly path: string
}
