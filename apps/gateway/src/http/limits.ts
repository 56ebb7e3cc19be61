/** A query of 2,048 characters, percent-encoded, and a path. */
export const MAX_TARGET_LENGTH = 16_384
