/** Generated code (see scripts/generate.mjs) under one short name. Only converters and the envelope use it. */
import { hotpath } from '../generated/hotpath.js'

export const wire = hotpath.v1
export type Wire = typeof hotpath.v1
export type { hotpath }
