// The package is CommonJS: node finds no named exports in it.
import roaring from 'roaring'

/** Set of 32-bit ids. Load this on the main thread before any worker starts, or node can crash when a worker ends. */
export const RoaringBitmap32 = roaring.RoaringBitmap32
export type RoaringBitmap32 = InstanceType<typeof roaring.RoaringBitmap32>
