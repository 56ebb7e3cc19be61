/** Bytes of the id of an entry that programs keep: see `HitIds` of the index store. */
export const ID_BYTES = 24
