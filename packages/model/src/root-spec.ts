/** A thing that is indexed. `id` is stable over restarts: it is derived from kind and path. */
export interface RootSpec {
  readonly id: string
  readonly kind: 'tree' | 'list'
  /** Absolute path of the directory or of the list file. */
  readonly path: string
}
